package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/drain"

	"kiban.dev/kiban/lifecycle"
)

const (
	defaultDrainTimeout  = 10 * time.Minute
	defaultEvictionRetry = 2 * time.Second
	// resyncEvery is how often a drain compares its view of the node with the API, in case a watch lost something.
	resyncEvery = 10 * time.Second
	// lastLook bounds the look at the node of a drain that has run out of time.
	lastLook = 5 * time.Second
)

// drainer is one drain under way. Which pods go is kubectl's drain library's to say; how they are asked to, and when, is
// kiban's: the library's own loop evicts by name, so that an eviction repeated after a lost answer may meet the pod's
// successor; it polls each pod once a second, gives up at the first broken connection, and spins on refused evictions
// unless told otherwise.
type drainer struct {
	client   *Client
	helper   *drain.Helper
	node     string
	policy   lifecycle.Drain
	progress func(string)

	leaving map[types.UID]*departingPod
	// began says that the node's pods were seen once; those that come later are arrivals, which may be pods that no cordon keeps away.
	began    bool
	arrivals arrivals
	// claims are those of volumes that were mounted by pods that have left.
	claims  map[types.NamespacedName]bool
	pods    stream
	budgets stream
	resync  time.Time // when to compare with the API next
	told    lifecycle.Waiting
	trouble string // the last failure that may pass
}

// Drain moves a node's pods away with the meaning of `kubectl drain --ignore-daemonsets`, and returns when they are gone. The
// node must be cordoned, from the first look to the last: one that is open gets its pods back as soon as they have left. progress gets
// a line for each pod that is evicted, held by a budget, or gone; never the same line for the same pod twice. A drain that does not end in
// time is a Diagnostic that names the pods and what holds each.
func (c *Client) Drain(ctx context.Context, node string, policy lifecycle.Drain, progress func(string)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	if policy.Timeout <= 0 {
		policy.Timeout = defaultDrainTimeout
	}
	if policy.EvictionRetry <= 0 {
		policy.EvictionRetry = defaultEvictionRetry
	}
	bounded, cancel := lifecycle.Within(ctx, policy.Timeout, "not drained")
	defer cancel()
	d := newDrainer(bounded, c, node, policy, progress)
	defer d.close()
	err := d.run(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return d.timedOut(ctx)
	}
	if err != nil {
		return err
	}
	return d.detached(bounded)
}

func newDrainer(ctx context.Context, c *Client, node string, policy lifecycle.Drain, progress func(string)) *drainer {
	grace := -1 // the pods' own
	if policy.GracePeriod > 0 {
		grace = int(math.Ceil(policy.GracePeriod.Seconds()))
	}
	return &drainer{
		client: c, node: node, policy: policy, progress: progress, leaving: map[types.UID]*departingPod{},
		arrivals: newArrivals(), claims: map[types.NamespacedName]bool{},
		helper: &drain.Helper{
			Ctx: ctx, Client: c.api, GracePeriodSeconds: grace, IgnoreAllDaemonSets: true, Force: policy.Force,
			DeleteEmptyDirData: policy.DeleteEmptyDirData, Timeout: policy.Timeout, ChunkSize: podChunk,
			EvictErrorRetryDelay: policy.EvictionRetry, Out: io.Discard, ErrOut: io.Discard,
		},
	}
}

// run evicts and waits until a fresh look finds nothing left to move.
func (d *drainer) run(ctx context.Context) error {
	for {
		if !time.Now().Before(d.resync) {
			left, err := d.sync(ctx)
			switch {
			case err == nil && left == 0:
				return nil
			case err == nil:
				d.resync = time.Now().Add(resyncEvery)
				d.tellBroken(ctx)
			case worthRepeating(err):
				d.note(ctx, err)
				d.resync = time.Now().Add(reconnectAfter)
			default:
				return err
			}
		}
		if err := d.evictDue(ctx); err != nil {
			return err
		}
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
}

// note remembers a failure that may pass, for the case that it does not.
func (d *drainer) note(ctx context.Context, err error) {
	if ctx.Err() == nil {
		d.trouble = err.Error()
	}
}

// sync makes the drain's view that of the API and returns how many pods are left. The watch is opened first, so that no pod
// can go unnoticed between the two.
func (d *drainer) sync(ctx context.Context) (int, error) {
	if err := d.watchPods(ctx); err != nil {
		return 0, err
	}
	list, errs := d.helper.GetPodsForDeletion(d.node)
	if len(errs) > 0 {
		return 0, d.refused(errs)
	}
	seen := map[types.UID]bool{}
	for _, p := range list.Pods() {
		if d.leaving[p.UID] == nil && d.began && d.stays(ctx, &p) {
			continue
		}
		seen[p.UID] = true
		if l := d.leaving[p.UID]; l != nil {
			l.pod = p
			continue
		}
		d.leaving[p.UID] = &departingPod{pod: p, evicted: p.DeletionTimestamp != nil}
	}
	begins := !d.began
	d.began = true
	for uid, l := range d.leaving {
		if !seen[uid] {
			d.forget(uid, l)
		}
	}
	if begins || len(d.leaving) == 0 {
		return len(d.leaving), d.closed(ctx)
	}
	return len(d.leaving), nil
}

// closed refuses a node that takes new pods. One that the cluster does not know takes none.
func (d *drainer) closed(ctx context.Context) error {
	n, err := d.client.api.CoreV1().Nodes().Get(ctx, d.node, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("get node %s: %w", d.node, err)
	case n.Spec.Unschedulable:
		return nil
	}
	return lifecycle.Blockedf(d.node, "the node is open for new pods, so it cannot be drained").
		Because("Somebody has opened it since it was cordoned, or since this was planned. What leaves it may come back before k0s stops.").
		Try("Plan again: the node is then cordoned first. Whoever opened it may want to know.")
}

// refused turns the library's refusal to touch some pods into a finding; a failed request stays what it is.
func (d *drainer) refused(errs []error) error {
	var why []string
	for _, err := range errs {
		if !final(err) {
			return fmt.Errorf("list pods of %s: %w", d.node, err)
		}
		text := strings.NewReplacer(" (use --force to override)", " (policy drain.force is false)",
			" (use --delete-emptydir-data to override)", " (policy drain.deleteEmptyDirData is false)").Replace(err.Error())
		why = append(why, text)
	}
	return lifecycle.Blockedf(d.node, "some pods may not be moved away").
		Because(why...).
		Try("Move or delete these pods, or allow it in the site's drain policy").
		Hiding(errors.Join(errs...))
}

// final tells the library's refusals, which it gives as text only, from failed requests.
func final(err error) bool {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) || !strings.HasPrefix(err.Error(), "cannot delete ") {
		return false
	}
	return slices.ContainsFunc([]string{"(use --force", "(use --delete-emptydir-data", " not found: "},
		func(s string) bool { return strings.Contains(err.Error(), s) })
}

// forget forgets a pod that left. When it was the last, a fresh look decides whether the node is drained.
func (d *drainer) forget(uid types.UID, l *departingPod) {
	delete(d.leaving, uid)
	if len(d.leaving) == 0 {
		d.resync = time.Time{}
	}
	for _, claim := range claimsOf(&l.pod) {
		d.claims[types.NamespacedName{Namespace: l.pod.Namespace, Name: claim}] = true
	}
	if l.evicted {
		d.progress("evicted " + l.String())
		return
	}
	d.progress(l.String() + " is gone")
}

// timedOut says which pods are still there, what holds each, and what helps with that.
func (d *drainer) timedOut(ctx context.Context) error {
	lines, hints := left(d.sorted(), time.Now(), d.broken(ctx))
	if d.trouble != "" {
		lines = append(lines, "last failure: "+d.trouble)
	}
	count := lifecycle.Count(len(d.leaving), "pod") + " left"
	if len(d.leaving) == 0 {
		count = "which pods are left is not known"
	}
	return lifecycle.Blockedf(d.node, "the node was not drained within %s: %s", d.policy.Timeout, count).
		Because(lines...).
		Try(strings.Join(append(hints, "Then run the same command again: it goes on from here."), " ")).
		Hiding(context.DeadlineExceeded)
}

// tellBroken says that pods were asked to leave and that nothing on the node ends them, while that is so.
func (d *drainer) tellBroken(ctx context.Context) {
	var leaving []string
	for _, l := range d.sorted() {
		if l.evicted {
			leaving = append(leaving, l.String())
		}
	}
	if len(leaving) == 0 {
		return
	}
	if broken := d.broken(ctx); broken != "" {
		if line := lifecycle.Few(leaving) + ": asked to leave, and nothing ends them there: " + broken; d.told.News(line, time.Now()) {
			d.progress(line)
		}
	}
}

// broken says what keeps the node from ending pods. An API that does not answer leaves that unsaid.
func (d *drainer) broken(ctx context.Context) string {
	ctx, cancel := lifecycle.Within(ctx, lastLook, "no answer")
	defer cancel()
	n, err := d.client.Node(ctx, d.node)
	switch {
	case apierrors.IsNotFound(err):
		return "the cluster has no node " + d.node + " any more"
	case err != nil:
		return ""
	}
	return kubeletTrouble(n)
}

func (d *drainer) sorted() []*departingPod {
	return slices.SortedFunc(maps.Values(d.leaving), func(a, b *departingPod) int { return cmp.Compare(a.String(), b.String()) })
}
