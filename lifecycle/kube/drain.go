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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/drain"

	"kiban.dev/kiban/lifecycle"
)

const (
	defaultDrainTimeout  = 10 * time.Minute
	defaultEvictionRetry = 2 * time.Second
	// resyncEvery is how often a drain compares its view of the node with the API, in case a watch lost something.
	resyncEvery = 10 * time.Second
)

// drainer is one drain under way. Which pods go, and how they are asked to, is kubectl's drain library's to say; when is
// kiban's: the library's own loop polls each pod once a second, gives up at the first broken connection, and spins on
// refused evictions unless told otherwise.
type drainer struct {
	client   *Client
	helper   *drain.Helper
	node     string
	policy   lifecycle.Drain
	progress func(string)

	leaving map[types.UID]*departingPod
	pods    stream
	budgets stream
	resync  time.Time // when to compare with the API next
	trouble string    // the last failure that may pass
}

// departingPod is a pod that is to leave the node.
type departingPod struct {
	pod     corev1.Pod
	evicted bool
	// next is when the eviction may be asked for (again).
	next time.Time
	// budget is "namespace/name" of the budget that refused last; held says so in words, told is what was said last.
	budget, held, told string
}

func (l *departingPod) String() string { return l.pod.Namespace + "/" + l.pod.Name }

// Drain moves a node's pods away with the meaning of `kubectl drain --ignore-daemonsets`, and returns when they are gone. The
// node should be cordoned. progress gets a line for each pod that is evicted, held by a budget, or gone; never the same line
// for the same pod twice. A drain that does not end in time is a Diagnostic that names the pods and what holds each.
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
	bounded, cancel := context.WithTimeout(ctx, policy.Timeout)
	defer cancel()
	d := newDrainer(bounded, c, node, policy, progress)
	defer d.close()
	err := d.run(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return d.timedOut()
	}
	return err
}

func newDrainer(ctx context.Context, c *Client, node string, policy lifecycle.Drain, progress func(string)) *drainer {
	grace := -1 // the pods' own
	if policy.GracePeriod > 0 {
		grace = int(math.Ceil(policy.GracePeriod.Seconds()))
	}
	return &drainer{
		client: c, node: node, policy: policy, progress: progress, leaving: map[types.UID]*departingPod{},
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
		seen[p.UID] = true
		if d.leaving[p.UID] == nil {
			d.leaving[p.UID] = &departingPod{pod: p, evicted: p.DeletionTimestamp != nil}
		}
	}
	for uid, l := range d.leaving {
		if !seen[uid] {
			d.forget(uid, l)
		}
	}
	return len(d.leaving), nil
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
	if l.evicted {
		d.progress("evicted " + l.String())
		return
	}
	d.progress(l.String() + " is gone")
}

// timedOut says which pods are still there, and why.
func (d *drainer) timedOut() error {
	var lines []string
	for _, l := range d.sorted() {
		switch {
		case l.held != "":
			lines = append(lines, l.held)
		case l.evicted:
			lines = append(lines, l.String()+" was evicted and has not ended; its grace period is "+d.grace(l).String())
		default:
			lines = append(lines, l.String()+" could not be evicted")
		}
	}
	if d.trouble != "" {
		lines = append(lines, "last failure: "+d.trouble)
	}
	left := lifecycle.Count(len(d.leaving), "pod") + " left"
	if len(d.leaving) == 0 {
		left = "which pods are left is not known"
	}
	return lifecycle.Blockedf(d.node, "the node was not drained within %s: %s", d.policy.Timeout, left).
		Because(lines...).
		Try("Make the pods named here able to move (more replicas, a looser budget, room on other nodes), " +
			"then apply again: it goes on from here").
		Hiding(context.DeadlineExceeded)
}

func (d *drainer) grace(l *departingPod) time.Duration {
	if d.policy.GracePeriod > 0 {
		return d.policy.GracePeriod
	}
	if s := l.pod.Spec.TerminationGracePeriodSeconds; s != nil {
		return time.Duration(*s) * time.Second
	}
	return corev1.DefaultTerminationGracePeriodSeconds * time.Second
}

func (d *drainer) sorted() []*departingPod {
	return slices.SortedFunc(maps.Values(d.leaving), func(a, b *departingPod) int { return cmp.Compare(a.String(), b.String()) })
}
