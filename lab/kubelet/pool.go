package kubelet

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/images"
)

const (
	retryEvery = 300 * time.Millisecond
	workers    = 16
	byNode     = "node"
)

// pool is the kubelets of one cluster. They share one client and one watch of pods: a thousand of each would cost gigabytes.
type pool struct {
	ctx     context.Context
	cancel  context.CancelFunc
	opts    Options
	cluster *controlplane.Cluster
	client  kubernetes.Interface
	// config is what client was made of; the programs of some images make clients of their own.
	config    *rest.Config
	addresses *addresses
	pods      cache.SharedIndexInformer
	queue     workqueue.TypedRateLimitingInterface[string]
	// joining counts the workers on their way in. Guarded by the fleet's mutex.
	joining int

	mu        sync.Mutex
	nodes     map[string]*node
	sandboxes map[types.UID]*sandbox
}

func newPool(ctx context.Context, cluster *controlplane.Cluster, opts Options, a *addresses) (*pool, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(cluster.Kubeconfig())
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.Burst = 2000, 4000
	cfg.Dial = dialAny(cluster)
	cfg.TLSClientConfig.ServerName = apiServerName
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	p := emptyPool(ctx, client, opts, a)
	p.cluster = cluster
	p.config = rest.CopyConfig(cfg)
	p.config.ContentType, p.config.AcceptContentTypes = "", ""
	return p, p.start()
}

func emptyPool(ctx context.Context, client kubernetes.Interface, opts Options, a *addresses) *pool {
	p := &pool{
		opts: opts, client: client, addresses: a,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](50*time.Millisecond, 5*time.Second)),
		nodes: map[string]*node{}, sandboxes: map[types.UID]*sandbox{},
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// start begins to watch pods and to act on them, until p.ctx ends.
func (p *pool) start() error {
	factory := informers.NewSharedInformerFactoryWithOptions(p.client, 0, informers.WithTransform(slim))
	p.pods = factory.Core().V1().Pods().Informer()
	err := p.pods.AddIndexers(cache.Indexers{byNode: func(o any) ([]string, error) {
		pod, ok := o.(*corev1.Pod)
		if !ok || pod.Spec.NodeName == "" {
			return nil, nil
		}
		return []string{pod.Spec.NodeName}, nil
	}})
	if err != nil {
		return err
	}
	_, err = p.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    p.changed,
		UpdateFunc: func(_, o any) { p.changed(o) },
		DeleteFunc: p.deleted,
	})
	if err != nil {
		return err
	}
	if err := images.Provision(p.ctx, p.client, factory, p.opts.Log); err != nil {
		return err
	}
	factory.Start(p.ctx.Done())
	for range workers {
		go p.work()
	}
	context.AfterFunc(p.ctx, func() {
		p.queue.ShutDown()
		p.kill(func(*sandbox) bool { return true })
	})
	return nil
}

// slim drops what takes memory and is not used.
func slim(o any) (any, error) {
	if pod, ok := o.(*corev1.Pod); ok {
		pod.ManagedFields = nil
	}
	return o, nil
}

func (p *pool) changed(o any) {
	if pod, ok := o.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
		p.queue.Add(pod.Namespace + "/" + pod.Name)
	}
}

// deleted ends what still runs of a pod that the API server has forgotten. A kubelet that is down learns of it when it comes back.
func (p *pool) deleted(o any) {
	if unknown, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = unknown.Obj
	}
	if pod, ok := o.(*corev1.Pod); ok && p.node(pod.Spec.NodeName) != nil {
		p.kill(func(s *sandbox) bool { return s.uid == pod.UID })
	}
}

func (p *pool) work() {
	for {
		key, quit := p.queue.Get()
		if quit {
			return
		}
		again, err := p.sync(key)
		switch {
		case err != nil && !apierrors.IsNotFound(err):
			p.opts.Log.Debug("pod not synced", "pod", key, "error", err)
			p.queue.AddRateLimited(key)
		case again > 0:
			p.queue.Forget(key)
			p.queue.AddAfter(key, again)
		default:
			p.queue.Forget(key)
		}
		p.queue.Done(key)
	}
}

// sync brings one pod a step on, and says after how long to look again.
func (p *pool) sync(key string) (again time.Duration, err error) {
	o, ok, err := p.pods.GetStore().GetByKey(key)
	if err != nil || !ok {
		return 0, err
	}
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return 0, errors.New("not a pod")
	}
	n := p.node(pod.Spec.NodeName)
	switch {
	case n == nil: // nobody looks after it
		return 0, nil
	case pod.DeletionTimestamp != nil:
		return p.end(n, pod)
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		p.kill(func(s *sandbox) bool { return s.uid == pod.UID })
		return 0, nil
	}
	return p.run(n, pod)
}

func (p *pool) node(name string) *node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes[name]
}

// sandbox returns what runs of a pod, or nil.
func (p *pool) sandbox(uid types.UID) *sandbox {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sandboxes[uid]
}

// kill ends every sandbox that matches, at once.
func (p *pool) kill(match func(*sandbox) bool) {
	p.mu.Lock()
	var doomed []*sandbox
	for uid, s := range p.sandboxes {
		if match(s) {
			doomed = append(doomed, s)
			delete(p.sandboxes, uid)
		}
	}
	p.mu.Unlock()
	for _, s := range doomed {
		s.close(p.addresses)
	}
}

func (p *pool) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.nodes) == 0 && len(p.sandboxes) == 0
}
