package kubelet

import (
	"context"
	"errors"
	"maps"
	"slices"
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
	authority *images.Authority
	pods      cache.SharedIndexInformer
	queue     workqueue.TypedRateLimitingInterface[podRef]
	// joining counts the workers on their way in. Guarded by the fleet's mutex.
	joining int

	mu        sync.Mutex
	nodes     map[string]*node
	sandboxes map[types.UID]*sandbox
	// starts are how often the containers of pods that were killed had been started: what lies on their machines' disks. The API server may
	// not have been told yet.
	starts map[types.UID]int32
}

// podRef is one pod. Another one by the same name, as a StatefulSet makes it, is another pod: the queue hands each to one worker at a time.
type podRef struct {
	key string // namespace/name
	uid types.UID
}

func refOf(pod *corev1.Pod) podRef { return podRef{pod.Namespace + "/" + pod.Name, pod.UID} }

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
	if p.authority, err = images.NewAuthority(); err != nil {
		return nil, err
	}
	p.cluster = cluster
	p.config = rest.CopyConfig(cfg)
	p.config.ContentType, p.config.AcceptContentTypes = "", ""
	return p, p.start()
}

func emptyPool(ctx context.Context, client kubernetes.Interface, opts Options, a *addresses) *pool {
	p := &pool{
		opts: opts, client: client, addresses: a,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[podRef](50*time.Millisecond,
			5*time.Second)),
		nodes: map[string]*node{}, sandboxes: map[types.UID]*sandbox{}, starts: map[types.UID]int32{},
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// start begins to watch pods and to act on them, until p.ctx ends.
func (p *pool) start() error {
	factory := informers.NewSharedInformerFactoryWithOptions(p.client, 0, informers.WithTransform(slim))
	if err := p.watch(factory); err != nil {
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
		for _, name := range p.running() {
			p.leave(name)
		}
		p.kill(func(*sandbox) bool { return true })
	})
	return nil
}

// watch lets every change of a pod that is bound to a node come into the queue, once factory is started.
func (p *pool) watch(factory informers.SharedInformerFactory) error {
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
		DeleteFunc: p.changed,
	})
	return err
}

// slim drops what takes memory and is not used.
func slim(o any) (any, error) {
	if pod, ok := o.(*corev1.Pod); ok {
		pod.ManagedFields = nil
	}
	return o, nil
}

// changed puts a pod into the queue: it is new, another than it was, or gone.
func (p *pool) changed(o any) {
	if unknown, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = unknown.Obj
	}
	if pod, ok := o.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
		p.queue.Add(refOf(pod))
	}
}

func (p *pool) work() {
	for {
		ref, quit := p.queue.Get()
		if quit {
			return
		}
		p.handle(ref)
	}
}

// handle brings one pod of the queue a step on, and puts it back for when it is to be looked at again.
func (p *pool) handle(ref podRef) {
	defer p.queue.Done(ref)
	again, err := p.sync(ref)
	if err != nil && !apierrors.IsNotFound(err) {
		p.opts.Log.Debug("pod not synced", "pod", ref.key, "error", err)
		p.queue.AddRateLimited(ref)
		return
	}
	p.queue.Forget(ref)
	if again > 0 {
		p.queue.AddAfter(ref, again)
	}
}

// sync brings one pod a step on, and says after how long to look again.
func (p *pool) sync(ref podRef) (again time.Duration, err error) {
	pod, err := p.cached(ref)
	if err != nil {
		return 0, err
	}
	if pod == nil {
		p.forgotten(ref.uid)
		return 0, nil
	}
	n := p.attend(pod.Spec.NodeName)
	if n == nil { // nobody looks after it
		return 0, nil
	}
	defer n.busy.Done()
	switch {
	case pod.DeletionTimestamp != nil:
		return p.end(n, pod)
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		p.kill(func(s *sandbox) bool { return s.uid == pod.UID })
		return 0, nil
	case n.faults.RuntimeDown.Load() && p.sandbox(pod.UID) == nil:
		return 500 * time.Millisecond, nil
	}
	return p.run(n, pod)
}

// cached is the pod as the watch has it: maybe a moment behind the API server, which then tells of the change. Nil: it is gone.
func (p *pool) cached(ref podRef) (*corev1.Pod, error) {
	o, ok, err := p.pods.GetStore().GetByKey(ref.key)
	if err != nil || !ok {
		return nil, err
	}
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return nil, errors.New("not a pod")
	}
	if pod.UID != ref.uid {
		return nil, nil
	}
	return pod, nil
}

// forgotten ends what still runs of a pod that the API server has forgotten. A kubelet that is down learns of it when it comes back.
func (p *pool) forgotten(uid types.UID) {
	p.mu.Lock()
	s := p.sandboxes[uid]
	down := s != nil && p.nodes[s.node] == nil
	delete(p.starts, uid)
	p.mu.Unlock()
	if s != nil && !down {
		p.kill(func(other *sandbox) bool { return other == s })
	}
}

// attend returns the kubelet that runs on a node, which does not stop before its busy is done; nil when none runs.
func (p *pool) attend(name string) *node {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.nodes[name]
	if n != nil {
		n.busy.Add(1)
	}
	return n
}

func (p *pool) node(name string) *node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes[name]
}

// running are the names of the nodes whose kubelets run.
func (p *pool) running() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.nodes))
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
		if !match(s) {
			continue
		}
		doomed = append(doomed, s)
		delete(p.sandboxes, uid)
		if s.address() != "" { // its containers ran
			p.starts[uid] = s.restartCount() + 1
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
