package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// connect makes a client that goes to whichever of the API servers answers.
func connect(kubeconfig []byte, servers []string) (kubernetes.Interface, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if len(servers) > 0 {
		cfg.TLSClientConfig.ServerName = "kubernetes" // in every API server's certificate, whatever its address
		cfg.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: time.Second}
			errs := []error{errors.New("no API server can be reached")}
			for _, s := range servers {
				conn, err := dialer.DialContext(ctx, network, s)
				if err == nil {
					return conn, nil
				}
				errs = append(errs, err)
			}
			return nil, errors.Join(errs...)
		}
	}
	return kubernetes.NewForConfig(cfg)
}

// watch keeps the endpoints and the Deployment's Ready pods up to date until ctx ends. While no API server answers, the last ones stay, as
// they do in a kube-proxy.
func (p *Prober) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(p.client, 0, informers.WithNamespace(p.opts.Namespace))
	slices := factory.Discovery().V1().EndpointSlices().Informer()
	update := func(any) { p.setEndpoints(slices.GetStore().List()) }
	if _, err := slices.AddEventHandler(handler(update)); err != nil {
		return err
	}
	if p.opts.Deployment != "" {
		if err := p.watchPods(ctx, factory); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return fmt.Errorf("watch %s: %w", kind, context.Cause(ctx))
		}
	}
	return nil
}

func handler(do func(any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{AddFunc: do, UpdateFunc: func(_, o any) { do(o) }, DeleteFunc: do}
}

func (p *Prober) setEndpoints(objects []any) {
	var slices []*discoveryv1.EndpointSlice
	for _, o := range objects {
		if s, ok := o.(*discoveryv1.EndpointSlice); ok && s.Labels[discoveryv1.LabelServiceName] == p.opts.Service {
			slices = append(slices, s)
		}
	}
	list := ready(slices)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints = list
}

// ready lists the endpoints that traffic may go to: ready, serving and not terminating; at the slice's first port.
func ready(from []*discoveryv1.EndpointSlice) []endpoint {
	var list []endpoint
	for _, s := range from {
		if len(s.Ports) == 0 || s.Ports[0].Port == nil {
			continue
		}
		port := strconv.Itoa(int(*s.Ports[0].Port))
		for _, e := range s.Endpoints {
			if takesTraffic(e) {
				list = append(list, endpoint{address: net.JoinHostPort(e.Addresses[0], port), pod: target(e)})
			}
		}
	}
	return sorted(list)
}

func takesTraffic(e discoveryv1.Endpoint) bool {
	return len(e.Addresses) > 0 && !isFalse(e.Conditions.Ready) && !isFalse(e.Conditions.Serving) && !isTrue(e.Conditions.Terminating)
}

// target is the endpoint's pod, "namespace/name", or "".
func target(e discoveryv1.Endpoint) string {
	if e.TargetRef == nil {
		return ""
	}
	return e.TargetRef.Namespace + "/" + e.TargetRef.Name
}

// sorted sorts endpoints by address and leaves out what is listed twice.
func sorted(list []endpoint) []endpoint {
	slices.SortFunc(list, func(a, b endpoint) int { return cmp.Compare(a.address, b.address) })
	return slices.Compact(list)
}

// A condition that is not set counts as the API has it: ready and serving, not terminating.
func isFalse(b *bool) bool { return b != nil && !*b }
func isTrue(b *bool) bool  { return b != nil && *b }

// watchPods counts the Deployment's Ready pods whenever one of them changes. Its own status will not do: the controller manager writes
// that, and may be away.
func (p *Prober) watchPods(ctx context.Context, factory informers.SharedInformerFactory) error {
	d, err := p.client.AppsV1().Deployments(p.opts.Namespace).Get(ctx, p.opts.Deployment, metav1.GetOptions{})
	if err != nil {
		return err
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return err
	}
	want := 1
	if d.Spec.Replicas != nil {
		want = int(*d.Spec.Replicas)
	}
	pods := factory.Core().V1().Pods().Informer()
	_, err = pods.AddEventHandler(handler(func(any) { p.seeReady(countReady(pods.GetStore().List(), selector), want) }))
	return err
}

// countReady counts the pods that are Ready and not asked to end, as a PodDisruptionBudget does.
func countReady(objects []any, selector labels.Selector) int {
	n := 0
	for _, o := range objects {
		pod, ok := o.(*corev1.Pod)
		if ok && selector.Matches(labels.Set(pod.Labels)) && isReady(pod) {
			n++
		}
	}
	return n
}

// isReady reports whether a pod is Ready and not asked to end, as a PodDisruptionBudget counts it.
func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// seeReady notes the fewest Ready pods, from when all of them were Ready for the first time.
func (p *Prober) seeReady(n, want int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.report.MinReady < 0 && n < want {
		return
	}
	if p.report.MinReady < 0 || n < p.report.MinReady {
		p.report.MinReady, p.report.MinReadyAt = n, time.Now()
	}
}
