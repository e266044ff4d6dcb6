package kube

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"kiban.dev/kiban/lifecycle"
)

// evictAtOnce is how many evictions are asked for side by side.
const evictAtOnce = 8

// evictDue asks for every eviction whose time has come. An error is one that waiting does not cure.
func (d *drainer) evictDue(ctx context.Context) error {
	due := d.due()
	results := make([]error, len(due))
	var wg sync.WaitGroup
	slots := make(chan struct{}, evictAtOnce)
	for i, l := range due {
		if l.next.IsZero() {
			d.progress("evicting " + l.String())
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = d.evict(ctx, l)
		})
	}
	wg.Wait()
	for i, l := range due {
		l.next, l.woken = time.Now().Add(d.policy.EvictionRetry), false
		if err := d.answered(ctx, l, results[i]); err != nil {
			return err
		}
	}
	return nil
}

// due are the pods whose eviction is to be asked for now. Of those that one budget refused, and whose state has not changed since, that is
// one at each interval, in turn: what it is told goes for the others too.
func (d *drainer) due() []*departingPod {
	var due []*departingPod
	again := map[string]*departingPod{} // by budget, the one that has waited longest
	for _, l := range d.sorted() {
		switch {
		case l.evicted || time.Now().Before(l.next):
		case l.budget == "" || l.woken:
			due = append(due, l)
		case again[l.budget] == nil || l.next.Before(again[l.budget].next):
			again[l.budget] = l
		}
	}
	for _, l := range again {
		for _, other := range d.leaving {
			soon := other.next.Before(time.Now().Add(d.policy.EvictionRetry / 2))
			if other != l && !other.evicted && !other.woken && other.budget == l.budget && soon {
				other.next = other.next.Add(d.policy.EvictionRetry)
			}
		}
		due = append(due, l)
	}
	return due
}

// evict asks for the eviction of the very pod that was seen. One of the same name that was made since is another pod, elsewhere maybe: an
// eviction that is repeated after a lost answer must not meet it.
func (d *drainer) evict(ctx context.Context, l *departingPod) error {
	options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(l.pod.UID))}
	if grace := int64(d.helper.GracePeriodSeconds); grace >= 0 {
		options.GracePeriodSeconds = &grace
	}
	return d.client.api.PolicyV1().Evictions(l.pod.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.pod.Namespace, Name: l.pod.Name}, DeleteOptions: &options,
	})
}

// answered notes what came of an eviction.
func (d *drainer) answered(ctx context.Context, l *departingPod, err error) error {
	switch {
	case err == nil:
		l.evicted, l.asked, l.held, l.budget = true, time.Now(), "", ""
		d.arrivals.evicted(&l.pod)
	case apierrors.IsNotFound(err):
		d.forget(l.pod.UID, l)
	case apierrors.IsTooManyRequests(err), apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause):
		d.hold(ctx, l, err)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		// The namespace's own end deletes the pod; until then there is nothing to ask for.
	case moreThanOneBudget(err), !worthRepeating(err) && ctx.Err() == nil:
		return lifecycle.Blockedf(d.node, "the API refuses to evict %s", l.String()).
			Try("Remove what refuses it (a second budget over the pod, an admission webhook), then apply again").
			From(err)
	default: // it may have been granted all the same, so a fresh look comes before the next try
		d.note(ctx, fmt.Errorf("evict %s: %w", l, err))
		d.resync = l.next
	}
	return nil
}

// moreThanOneBudget: a pod under two budgets can't be evicted at all, which the API says with an internal error that has no reason.
func moreThanOneBudget(err error) bool {
	_, answered := statusOf(err)
	return answered && strings.Contains(err.Error(), "more than one PodDisruptionBudget")
}

// hold notes which budget refused an eviction, and tells it once for each new state of affairs.
func (d *drainer) hold(ctx context.Context, l *departingPod, refusal error) {
	l.budget, l.held = "", l.String()+" is held back: "+refusal.Error()
	budgets, err := d.client.listBudgets(ctx, l.pod.Namespace)
	if err != nil {
		d.note(ctx, err)
		return
	}
	d.watchBudgets(ctx)
	for i := range budgets {
		b := &budgets[i]
		if selectorOf(b).Matches(labels.Set(l.pod.Labels)) {
			l.budget = b.Namespace + "/" + b.Name
			l.tell(heldBy(l.pod, b), d.progress)
			return
		}
	}
	l.tell(l.held, d.progress)
}

// heldBy is "shop/web-x is held by budget shop/web (0 disruptions allowed, 2 of 3 healthy)".
func heldBy(p corev1.Pod, b *policyv1.PodDisruptionBudget) string {
	return fmt.Sprintf("%s/%s is held by budget %s/%s (%s allowed, %d of %d healthy, %s)", p.Namespace, p.Name, b.Namespace, b.Name,
		lifecycle.Count(int(b.Status.DisruptionsAllowed), "disruption"), b.Status.CurrentHealthy, b.Status.ExpectedPods, rule(b))
}
