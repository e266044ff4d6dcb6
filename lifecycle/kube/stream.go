package kube

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"

	"kiban.dev/kiban/lifecycle"
)

// breather is the least time between two evictions of one pod, whatever wakes the drain.
const breather = 250 * time.Millisecond

// reconnectAfter is how long after a failure the drain asks the API again.
const reconnectAfter = time.Second

// stream is a watch that may not be open.
type stream struct{ watch watch.Interface }

// events is nil, and so never ready, when no watch is open.
func (s *stream) events() <-chan watch.Event {
	if s.watch == nil {
		return nil
	}
	return s.watch.ResultChan()
}

func (s *stream) stop() {
	if s.watch != nil {
		s.watch.Stop()
		s.watch = nil
	}
}

// close ends the drain's watches, and with them the goroutines that feed them.
func (d *drainer) close() {
	d.pods.stop()
	d.budgets.stop()
}

// watchPods opens the watch on the node's pods, if it is not open.
func (d *drainer) watchPods(ctx context.Context) (err error) {
	if d.pods.watch == nil {
		opts := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", d.node).String()}
		d.pods.watch, err = d.client.api.CoreV1().Pods("").Watch(ctx, opts)
	}
	return err
}

// watchBudgets opens the watch that wakes the drain when a budget allows a disruption again. Without it the policy's retry
// interval serves, so a failure is no failure of the drain.
func (d *drainer) watchBudgets(ctx context.Context) {
	if d.budgets.watch != nil {
		return
	}
	w, err := d.client.api.PolicyV1().PodDisruptionBudgets("").Watch(ctx, metav1.ListOptions{})
	if err == nil {
		d.budgets.watch = w
	}
}

// wait returns when the last pod is gone, a budget gave way, an eviction is due again, or it is time to resync.
func (d *drainer) wait(ctx context.Context) error {
	timer := time.NewTimer(time.Until(d.nextAct()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return lifecycle.WhyEnded(ctx)
		case <-timer.C:
			return nil
		case e, open := <-d.pods.events():
			if !open || e.Type == watch.Error { // the API server ended it, or went away
				d.pods.stop()
				d.resync = time.Now().Add(reconnectAfter)
				return nil
			}
			if d.podChanged(e) || len(d.leaving) == 0 {
				return nil
			}
		case e, open := <-d.budgets.events():
			if !open || e.Type == watch.Error { // the next refusal opens another
				d.budgets.stop()
				return nil
			}
			if d.budgetChanged(e) {
				return nil
			}
		}
	}
}

// nextAct is when the drain must act next by itself.
func (d *drainer) nextAct() time.Time {
	next := d.resync
	for _, l := range d.leaving {
		if !l.evicted && l.next.Before(next) {
			next = l.next
		}
	}
	return next
}

// podChanged notes what became of a pod, and reports whether its eviction is due again.
func (d *drainer) podChanged(e watch.Event) bool {
	p, ok := e.Object.(*corev1.Pod)
	if !ok {
		return false
	}
	l := d.leaving[p.UID]
	switch {
	case l == nil:
	case e.Type == watch.Deleted:
		d.forget(p.UID, l)
	case p.DeletionTimestamp != nil:
		l.pod, l.evicted, l.held = *p, true, ""
	default:
		if podReady(p) != podReady(&l.pod) { // a budget may judge it otherwise now
			l.next, l.woken = time.Now(), true
		}
		l.pod = *p
		return l.woken && !l.evicted
	}
	return false
}

// budgetChanged makes as many of the pods that a budget held due again as it lets go now, and reports whether any is.
func (d *drainer) budgetChanged(e watch.Event) bool {
	b, ok := e.Object.(*policyv1.PodDisruptionBudget)
	if !ok || (e.Type != watch.Deleted && b.Status.DisruptionsAllowed == 0) {
		return false
	}
	may := int(b.Status.DisruptionsAllowed)
	if e.Type == watch.Deleted {
		may = len(d.leaving)
	}
	woke, soon := false, time.Now().Add(breather)
	for _, l := range d.sorted() {
		if may == 0 {
			break
		}
		if !l.evicted && l.budget == b.Namespace+"/"+b.Name {
			may--
			l.woken, woke = true, true
			if soon.Before(l.next) {
				l.next = soon
			}
		}
	}
	return woke
}
