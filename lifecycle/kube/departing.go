package kube

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lifecycle"
)

// departingPod is a pod that is to leave the node.
type departingPod struct {
	pod     corev1.Pod // as it was last seen
	evicted bool
	// asked is when its eviction was granted; zero where somebody else deleted it.
	asked time.Time
	// next is when the eviction may be asked for (again); woken says that something has changed since it was refused.
	next  time.Time
	woken bool
	// budget is "namespace/name" of the budget that refused last; held says so in words, told is what was said last.
	budget, held, told string
}

func (l *departingPod) String() string { return l.pod.Namespace + "/" + l.pod.Name }

// cause is why a pod has not left.
type cause int

const (
	causeUnknown   cause = iota
	causeBudget          // a disruption budget refuses
	causeNode            // no kubelet ends it
	causeGrace           // its grace period runs
	causeFinalizer       // it has ended, and a finalizer keeps it
	causeVolume          // it has ended, and its volumes are still mounted
	causeProcess         // its containers outlive their grace period
)

// hint is what helps with a cause, and with no other.
func (c cause) hint() string {
	return map[cause]string{
		causeBudget: "Let the budget allow a disruption: more replicas, a looser budget, or room on other nodes.",
		causeNode: "Bring the node's kubelet back, or take the node out for good (kiban node remove waits for no pods that no kubelet " +
			"ends): only then do its pods end.",
		causeGrace: "Give the drain longer than the pods' grace periods (spec.upgrade.drain.timeout), or cut these short " +
			"(spec.upgrade.drain.gracePeriod).",
		causeFinalizer: "Start what is to remove the finalizer; if nothing is to any more, remove it: " +
			`kubectl patch pod -n NAMESPACE NAME --type=merge -p '{"metadata":{"finalizers":null}}'`,
		causeVolume:  "Look at the node's kubelet and its storage driver: they have to unmount the volumes first.",
		causeProcess: "Look at the node's kubelet and containerd: they do not end the containers.",
		causeUnknown: "See to what is named here.",
	}[c]
}

// holds says why the pod is still there. now is the clock, broken what is wrong with the node's kubelet, "" if nothing is.
func (l *departingPod) holds(now time.Time, broken string) (cause, string) {
	name := l.String()
	if !l.evicted {
		if l.held != "" {
			return causeBudget, l.held
		}
		return causeUnknown, name + " could not be evicted"
	}
	since := l.leaving(now)
	left := l.graceLeft(now)
	switch {
	case broken != "":
		return causeNode, fmt.Sprintf("%s %s, and nothing ends it there: %s", name, since, broken)
	case hasEnded(&l.pod) && len(l.pod.Finalizers) > 0:
		return causeFinalizer, fmt.Sprintf("%s %s, has ended, and waits for its %s", name, since, finalizers(l.pod.Finalizers))
	case left > 0:
		return causeGrace, fmt.Sprintf("%s %s and has %s left of its grace period of %s", name, since, left, l.grace())
	case hasEnded(&l.pod) && len(claimsOf(&l.pod)) > 0:
		return causeVolume, fmt.Sprintf("%s %s, has ended, and its volumes are not unmounted: %s", name, since,
			strings.Join(claimsOf(&l.pod), ", "))
	case len(l.pod.Finalizers) > 0:
		return causeFinalizer, fmt.Sprintf("%s %s; its grace period of %s is over, and beside its containers its %s keeps it", name, since,
			l.grace(), finalizers(l.pod.Finalizers))
	}
	return causeProcess, fmt.Sprintf("%s %s and has not ended; its grace period is %s", name, since, l.grace())
}

// leaving is "was evicted 15s ago", or since when somebody else's deletion is due.
func (l *departingPod) leaving(now time.Time) string {
	if !l.asked.IsZero() {
		return "was evicted " + now.Sub(l.asked).Round(time.Second).String() + " ago"
	}
	if l.pod.DeletionTimestamp == nil {
		return "is being deleted"
	}
	asked := l.pod.DeletionTimestamp.Add(-l.grace())
	return "is being deleted since " + asked.UTC().Format(time.TimeOnly) + " UTC"
}

// graceLeft is how much of the grace period is left, in whole seconds.
func (l *departingPod) graceLeft(now time.Time) time.Duration {
	switch {
	case !l.asked.IsZero():
		return l.asked.Add(l.grace()).Sub(now).Round(time.Second)
	case l.pod.DeletionTimestamp != nil:
		return l.pod.DeletionTimestamp.Sub(now).Round(time.Second)
	}
	return 0
}

// grace is the grace period that the API gave the pod, or will.
func (l *departingPod) grace() time.Duration {
	for _, s := range []*int64{l.pod.DeletionGracePeriodSeconds, l.pod.Spec.TerminationGracePeriodSeconds} {
		if s != nil {
			return time.Duration(*s) * time.Second
		}
	}
	return corev1.DefaultTerminationGracePeriodSeconds * time.Second
}

// hasEnded reports whether no container of the pod runs any more.
func hasEnded(p *corev1.Pod) bool {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return true
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Terminated == nil {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0 || p.Status.Phase == corev1.PodPending
}

func finalizers(names []string) string {
	if len(names) == 1 {
		return "finalizer " + names[0]
	}
	return "finalizers " + strings.Join(names, ", ")
}

// claimsOf are the claims of the pod's volumes: "data-web-0".
func claimsOf(p *corev1.Pod) []string {
	var claims []string
	for _, v := range p.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			claims = append(claims, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			claims = append(claims, p.Name+"-"+v.Name)
		}
	}
	return claims
}

// left says what of the pods is still there, what holds each, and what helps with that.
func left(pods []*departingPod, now time.Time, broken string) (lines, hints []string) {
	said := map[cause]bool{}
	for _, l := range pods {
		why, line := l.holds(now, broken)
		lines = append(lines, line)
		if !said[why] {
			said[why] = true
			hints = append(hints, strings.NewReplacer("NAMESPACE", l.pod.Namespace, "NAME", l.pod.Name).Replace(why.hint()))
		}
	}
	return lines, hints
}

func (l *departingPod) tell(line string, progress func(string)) {
	if line != l.told {
		progress(line)
	}
	l.held, l.told = line, line
}

// kubeletTrouble says what is wrong with a node's kubelet; "" when it is well.
func kubeletTrouble(n lifecycle.NodeState) string {
	if n.Ready {
		return ""
	}
	return "node " + n.Name + " is not Ready (" + n.Why + ")"
}
