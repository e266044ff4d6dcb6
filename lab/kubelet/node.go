package kubelet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/controlplane"
)

// leaseSeconds is how long a node lease is good for, as the kubelet has it.
const leaseSeconds = 40

// node is one running kubelet.
type node struct {
	worker Worker
	faults *Faults
	// ready is what it says of itself, from its start on.
	ready bool
	uid   types.UID
	// ctx ends when the kubelet is to stop. It has stopped when done is closed and nobody is busy with a pod of it any more.
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	busy   sync.WaitGroup
}

func newNode(w Worker, faults *Faults) *node {
	return &node{worker: w, faults: faults, ready: faults.ready(w.Version), done: make(chan struct{})}
}

// join registers a node and starts its kubelet.
func (p *pool) join(ctx context.Context, w Worker, faults *Faults) error {
	n := newNode(w, faults)
	var refused refusal
	for {
		err := p.register(ctx, n)
		if err == nil {
			break
		}
		if refused.final(err, time.Now()) || apierrors.IsInvalid(err) {
			return fmt.Errorf("register node %s: %w", w.Name, err)
		}
		p.opts.Log.Debug("node not registered yet", "node", w.Name, "error", err)
		if pauseErr := pause(ctx, retryEvery); pauseErr != nil {
			return errors.Join(pauseErr, err)
		}
	}
	return p.begin(n)
}

// begin starts the kubelet of a node that is registered.
func (p *pool) begin(n *node) error {
	n.ctx, n.cancel = context.WithCancel(p.ctx)
	p.mu.Lock()
	if p.nodes[n.worker.Name] != nil {
		p.mu.Unlock()
		n.cancel()
		return fmt.Errorf("the kubelet of %s is running already", n.worker.Name)
	}
	p.nodes[n.worker.Name] = n
	p.mu.Unlock()
	go p.live(n)
	if err := p.takeOver(n.worker.Name); err != nil {
		p.leave(n.worker.Name)
		return err
	}
	return nil
}

// leave stops a kubelet. Once it has returned, nothing is done for the node's pods any more.
func (p *pool) leave(name string) {
	p.mu.Lock()
	n := p.nodes[name]
	delete(p.nodes, name)
	p.mu.Unlock()
	if n != nil {
		n.cancel()
		<-n.done
		n.busy.Wait()
	}
}

// takeOver looks at every pod of a node whose kubelet has just started: at those that are bound to it, which are to run, and at those that
// run, which may be bound to it no more. What the watch has not told of yet is still to come, as a change.
func (p *pool) takeOver(name string) error {
	bound, err := p.pods.GetIndexer().ByIndex(byNode, name)
	if err != nil {
		return err
	}
	for _, o := range bound {
		p.changed(o)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for uid, s := range p.sandboxes {
		if s.node == name {
			p.queue.Add(podRef{s.key, uid})
		}
	}
	return nil
}

// register makes the Node object, or brings its status up to date, as the node itself: with its own certificate.
func (p *pool) register(ctx context.Context, n *node) error {
	doc, err := os.ReadFile(n.worker.kubeconfigPath())
	if err != nil {
		return err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		return err
	}
	cfg.Timeout = 10 * time.Second
	client, closeIdle, err := brief(cfg, p.cluster)
	if err != nil {
		return err
	}
	defer closeIdle()
	existing, err := client.CoreV1().Nodes().Get(ctx, n.worker.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		created, err := client.CoreV1().Nodes().Create(ctx, n.object(), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		n.uid = created.UID
		return p.giveRoles(ctx, n)
	}
	if err != nil {
		return err
	}
	n.uid = existing.UID
	return n.writeStatus(ctx, client, existing)
}

func (n *node) object() *corev1.Node {
	labels := map[string]string{
		corev1.LabelHostname: n.worker.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: n.worker.arch(),
		"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": n.worker.arch(),
	}
	for k, v := range n.worker.Labels {
		if !isRole(k) {
			labels[k] = v
		}
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.worker.Name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: n.worker.Taints},
		Status:     n.status(nil),
	}
}

func isRole(label string) bool { return strings.HasPrefix(label, "node-role.kubernetes.io/") }

// giveRoles puts the role labels on a new node, as an administrator.
func (p *pool) giveRoles(ctx context.Context, n *node) error {
	roles := map[string]string{}
	for k, v := range n.worker.Labels {
		if isRole(k) {
			roles[k] = v
		}
	}
	if len(roles) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": roles}})
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().Nodes().Patch(ctx, n.worker.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// writeStatus writes the whole node status with a new heartbeat.
func (n *node) writeStatus(ctx context.Context, client kubernetes.Interface, was *corev1.Node) error {
	patch, err := json.Marshal(map[string]any{"status": n.status(was)})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, n.worker.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// well reports whether the kubelet says that its node is Ready.
func (n *node) well() bool { return n.ready && !n.faults.RuntimeDown.Load() }

// status is the node's status now. Conditions that have not changed keep the time of their last change.
func (n *node) status(was *corev1.Node) corev1.NodeStatus {
	capacity, allocatable := n.worker.resources()
	status := corev1.NodeStatus{
		Capacity: capacity, Allocatable: allocatable,
		Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.worker.Addr},
			{Type: corev1.NodeHostName, Address: n.worker.Name}},
		NodeInfo: corev1.NodeSystemInfo{
			MachineID: n.worker.Name, SystemUUID: n.worker.Name, BootID: n.worker.Name,
			KubeletVersion:          controlplane.KubernetesVersion(n.worker.Version),
			ContainerRuntimeVersion: "containerd://2.1.5", KernelVersion: "6.1.0-lab",
			OSImage: "Debian GNU/Linux 12 (bookworm)", OperatingSystem: "linux", Architecture: n.worker.arch(),
		},
		Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory",
				Message: "kubelet has sufficient memory available"},
			{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure",
				Message: "kubelet has no disk pressure"},
			{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID",
				Message: "kubelet has sufficient PID available"},
			{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
		},
	}
	if n.faults.RuntimeDown.Load() {
		status.Conditions[3] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady",
			Message: "container runtime is down"}
	} else if !n.ready {
		status.Conditions[3] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady",
			Message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"}
	}
	now := metav1.Now()
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.LastHeartbeatTime, c.LastTransitionTime = now, now
		if old := nodeCondition(was, c.Type); old != nil && old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
	}
	return status
}

func nodeCondition(n *corev1.Node, t corev1.NodeConditionType) *corev1.NodeCondition {
	if n == nil {
		return nil
	}
	for i := range n.Status.Conditions {
		if n.Status.Conditions[i].Type == t {
			return &n.Status.Conditions[i]
		}
	}
	return nil
}

// live renews the lease, and the status when it is time or when somebody else has changed it, until the kubelet stops.
func (p *pool) live(n *node) {
	defer close(n.done)
	ctx := n.ctx
	var lease *coordinationv1.Lease
	statusAt := time.Now().Add(p.opts.StatusEvery)
	// The first lease at once; then out of step with the others, or a thousand would come in the same instant.
	for wait := time.Duration(0); pause(ctx, wait) == nil; wait = jitter(p.opts.LeaseEvery) {
		lease = p.renew(ctx, n, lease)
		was, err := p.client.CoreV1().Nodes().Get(ctx, n.worker.Name, metav1.GetOptions{ResourceVersion: "0"})
		if err != nil {
			continue
		}
		c := nodeCondition(was, corev1.NodeReady)
		changed := c == nil || (c.Status == corev1.ConditionTrue) != n.well() || c.Status == corev1.ConditionUnknown
		if !changed && time.Now().Before(statusAt) {
			continue
		}
		if err := n.writeStatus(ctx, p.client, was); err == nil {
			statusAt = time.Now().Add(p.opts.StatusEvery)
		}
	}
}

func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.1*rand.Float64()))
}

// renew writes the node lease and returns it as it is now, or nil when it has to be read again.
func (p *pool) renew(ctx context.Context, n *node, lease *coordinationv1.Lease) *coordinationv1.Lease {
	leases := p.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now, seconds := metav1.NowMicro(), int32(leaseSeconds)
	if lease == nil {
		found, err := leases.Get(ctx, n.worker.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			found, err = leases.Create(ctx, &coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{Name: n.worker.Name, OwnerReferences: []metav1.OwnerReference{
					{APIVersion: "v1", Kind: "Node", Name: n.worker.Name, UID: n.uid},
				}},
				Spec: coordinationv1.LeaseSpec{HolderIdentity: &n.worker.Name, LeaseDurationSeconds: &seconds, RenewTime: &now},
			}, metav1.CreateOptions{})
			if err == nil {
				return found
			}
		}
		if err != nil {
			return nil
		}
		lease = found
	}
	lease.Spec.RenewTime = &now
	renewed, err := leases.Update(ctx, lease, metav1.UpdateOptions{})
	if err != nil {
		return nil
	}
	return renewed
}
