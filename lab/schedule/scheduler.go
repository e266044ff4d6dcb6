package schedule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/profile"
	"k8s.io/utils/ptr"
)

// judge is Kubernetes' scheduler over one cluster. What is bound to nodes is told to its cache, as its informers would tell it.
type judge struct {
	*scheduler.Scheduler
	view *cache.Snapshot
	log  klog.Logger
	luck *rand.Rand
}

func newJudge(ctx context.Context, c *Cluster) (*judge, error) {
	var objects []runtime.Object
	for i := range c.Namespaces {
		objects = append(objects, &c.Namespaces[i])
	}
	for i := range c.Volumes {
		objects = append(objects, &c.Volumes[i])
	}
	for i := range c.Claims {
		objects = append(objects, &c.Claims[i])
	}
	for i := range c.Classes {
		objects = append(objects, &c.Classes[i])
	}
	client := fake.NewClientset(objects...)
	shared := informers.NewSharedInformerFactory(client, 0)
	j := &judge{view: cache.NewEmptySnapshot(), log: klog.FromContext(ctx), luck: rand.New(rand.NewPCG(c.Seed, 7))}
	recorder := profile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()}))
	var err error
	j.Scheduler, err = scheduler.New(ctx, client, shared, nil, recorder, scheduler.WithNodeInfoSnapshot(j.view),
		scheduler.WithPercentageOfNodesToScore(ptr.To(int32(100))))
	if err != nil {
		return nil, err
	}
	shared.Start(ctx.Done())
	for kind, synced := range shared.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, fmt.Errorf("%v was not read", kind)
		}
	}
	if err := j.WaitForHandlersSync(ctx); err != nil {
		return nil, err
	}
	for i := range c.Nodes {
		j.Cache.AddNode(j.log, &c.Nodes[i])
	}
	return j, nil
}

// place lets the scheduler choose a node for a pod, and puts it there. Why it has none is in its own words.
func (j *judge) place(ctx context.Context, p *corev1.Pod) (node, why string, err error) {
	if err := j.Cache.UpdateSnapshot(j.log, j.view); err != nil {
		return "", "", err
	}
	info, err := framework.NewPodInfo(p)
	if err != nil {
		return "", "", err
	}
	plugins := j.Profiles[corev1.DefaultSchedulerName]
	result, err := j.SchedulePod(ctx, plugins, framework.NewCycleState(), &framework.QueuedPodInfo{PodInfo: info})
	var unfit *framework.FitError
	switch {
	case errors.As(err, &unfit):
		return "", unfit.Error(), nil
	case err != nil:
		return "", "", err
	}
	p.Spec.NodeName = result.SuggestedHost
	return result.SuggestedHost, "", j.Cache.AddPod(j.log, p.DeepCopy())
}

// fill places the pods that are not placed yet, in any order, and leaves out those that find no place.
func (j *judge) fill(ctx context.Context, c *Cluster) error {
	for i := range c.Pods {
		if p := &c.Pods[i]; p.Spec.NodeName != "" {
			if err := j.Cache.AddPod(j.log, p.DeepCopy()); err != nil {
				return err
			}
		}
	}
	for _, i := range j.luck.Perm(len(c.Pods)) {
		if p := &c.Pods[i]; p.Spec.NodeName == "" {
			if _, _, err := j.place(ctx, p); err != nil {
				return err
			}
		}
	}
	c.Pods = slices.DeleteFunc(c.Pods, func(p corev1.Pod) bool { return p.Spec.NodeName == "" })
	return nil
}

// moves reports whether a drain moves a pod, and something makes it anew.
func moves(p *corev1.Pod) bool {
	return len(p.OwnerReferences) > 0 && p.OwnerReferences[0].Kind != "DaemonSet"
}

func stays(p *corev1.Pod) bool {
	return len(p.OwnerReferences) > 0 && p.OwnerReferences[0].Kind == "DaemonSet"
}

// turn takes nodes out of service, lets their pods come back in several orders, and undoes it all.
func (j *judge) turn(ctx context.Context, c *Cluster, out []string, orders int) (Turn, error) {
	t := Turn{Out: out, Why: map[string]string{}}
	var gone []*corev1.Pod
	for i := range c.Nodes {
		if n := &c.Nodes[i]; slices.Contains(out, n.Name) {
			j.Cache.UpdateNode(j.log, n, cordoned(n))
		}
	}
	for i := range c.Pods {
		if p := &c.Pods[i]; slices.Contains(out, p.Spec.NodeName) && !stays(p) {
			gone = append(gone, p)
			if err := j.Cache.RemovePod(j.log, p); err != nil {
				return t, err
			}
		}
	}
	for range orders {
		left, err := j.comeBack(ctx, gone, t.Why)
		if err != nil {
			return t, err
		}
		t.Orders = append(t.Orders, left)
	}
	for _, p := range gone {
		if err := j.Cache.AddPod(j.log, p.DeepCopy()); err != nil {
			return t, err
		}
	}
	for i := range c.Nodes {
		if n := &c.Nodes[i]; slices.Contains(out, n.Name) {
			j.Cache.UpdateNode(j.log, cordoned(n), n)
		}
	}
	return t, nil
}

// cordoned is a node as a cordon leaves it, with the taint that Kubernetes adds.
func cordoned(n *corev1.Node) *corev1.Node {
	if n.Spec.Unschedulable {
		return n
	}
	n = n.DeepCopy()
	n.Spec.Unschedulable = true
	n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	return n
}

// comeBack lets pods come back as their controllers make them anew: in any order, but those of higher priority first, as the scheduler's
// queue has it. One that found no place is tried again when others have come. It says which found none, and takes all off again.
func (j *judge) comeBack(ctx context.Context, gone []*corev1.Pod, why map[string]string) ([]string, error) {
	var waiting []*corev1.Pod
	for _, i := range j.luck.Perm(len(gone)) {
		if !moves(gone[i]) {
			continue
		}
		p := gone[i].DeepCopy()
		p.Spec.NodeName = ""
		p.UID = types.UID(fmt.Sprintf("%s-%d", p.UID, j.luck.Uint64()))
		waiting = append(waiting, p)
	}
	slices.SortStableFunc(waiting, func(a, b *corev1.Pod) int { return int(*b.Spec.Priority - *a.Spec.Priority) })
	var placed []*corev1.Pod
	said := map[string]string{}
	for {
		var left []*corev1.Pod
		for _, p := range waiting {
			node, reason, err := j.place(ctx, p)
			switch {
			case err != nil:
				return nil, err
			case node == "":
				left = append(left, p)
				said[p.Namespace+"/"+p.Name] = reason
			default:
				placed = append(placed, p)
				delete(said, p.Namespace+"/"+p.Name)
			}
		}
		if done := len(left) == len(waiting); done || len(left) == 0 {
			break
		}
		waiting = left
	}
	for _, p := range placed {
		if err := j.Cache.RemovePod(j.log, p); err != nil {
			return nil, err
		}
	}
	maps.Copy(why, said)
	return slices.Sorted(maps.Keys(said)), nil
}

// Judge fills the cluster of a seed, and tells what the scheduler does when each of its nodes, and some of them together, are out of
// service.
func Judge(ctx context.Context, seed uint64, orders int) (*Cluster, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := Random(seed)
	j, err := newJudge(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := j.fill(ctx, c); err != nil {
		return nil, err
	}
	var turns [][]string
	for _, n := range c.Nodes {
		turns = append(turns, []string{n.Name})
	}
	for range 2 {
		pair := j.luck.Perm(len(c.Nodes))[:2]
		turns = append(turns, []string{c.Nodes[pair[0]].Name, c.Nodes[pair[1]].Name})
	}
	for _, out := range turns {
		t, err := j.turn(ctx, c, out, orders)
		if err != nil {
			return nil, err
		}
		c.Turns = append(c.Turns, t)
	}
	return c, nil
}
