package kube

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func spec(o object) map[string]any { return o["spec"].(map[string]any) }

func nodeThat(status, reason, message string) object {
	ready := map[string]any{"type": "Ready", "status": status, "reason": reason, "message": message}
	return object{"metadata": map[string]any{"name": "w1"}, "spec": map[string]any{"unschedulable": true},
		"status": map[string]any{"conditions": []any{ready}}}
}

// TestDrainTellsWhatHoldsAPod: a pod that was evicted and stays is named with what holds it, and the hint is about that alone.
func TestDrainTellsWhatHoldsAPod(t *testing.T) {
	well := nodeThat("True", "KubeletReady", "")
	running := map[string]any{"phase": "Running", "containerStatuses": []any{map[string]any{"name": "a",
		"state": map[string]any{"running": map[string]any{}}}}}
	ended := map[string]any{"phase": "Failed"}
	for name, c := range map[string]struct {
		node       object
		edit       func(object)
		says, hint string
	}{
		"its grace period runs": {well, func(o object) { spec(o)["terminationGracePeriodSeconds"], o["status"] = 45, running },
			`shop/web-1 was evicted 1s ago and has 4[34]s left of its grace period of 45s`, "spec.upgrade.drain.gracePeriod"},
		"a finalizer": {well, func(o object) { metadata(o)["finalizers"], o["status"] = []any{"example.com/detach"}, ended },
			`shop/web-1 was evicted 1s ago, has ended, and waits for its finalizer example.com/detach`, "kubectl patch pod -n shop web-1"},
		"volumes": {well, func(o object) {
			o["status"], spec(o)["terminationGracePeriodSeconds"] = ended, 0
			spec(o)["volumes"] = []any{map[string]any{"name": "d", "persistentVolumeClaim": map[string]any{"claimName": "data-web-1"}}}
		}, `has ended, and its volumes are not unmounted: data-web-1`, "unmount"},
		"containers that do not end": {well, func(o object) { spec(o)["terminationGracePeriodSeconds"], o["status"] = 0, running },
			`shop/web-1 was evicted 1s ago and has not ended; its grace period is 0s`, "containerd"},
		"no kubelet": {nodeThat("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."), func(object) {},
			`nothing ends it there: node w1 is not Ready \(NodeStatusUnknown: Kubelet stopped`, "kubelet back"},
		"no node": {nil, func(object) {}, `nothing ends it there: the cluster has no node w1 any more`, "kubelet back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAPI()
			f.linger = -1 // for ever
			client := connect(t, f)
			if c.node != nil {
				f.put("nodes", object(copied(c.node).Object))
			}
			f.put("pods", ownedPod("web-1", c.edit))
			err := client.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: time.Second, EvictionRetry: time.Second}, func(string) {})
			wantDiagnostic(t, err, lifecycle.SeverityBlocked, "not drained within 1s")
			if err == nil || !regexp.MustCompile(c.says).MatchString(err.Error()) {
				t.Errorf("want %q in: %v", c.says, err)
			}
			hint := lifecycle.AsDiagnostics(err, "")[0].Hint
			if !strings.Contains(hint, c.hint) || strings.Contains(hint, "replicas") {
				t.Errorf("want %q in the hint: %s", c.hint, hint)
			}
		})
	}
}

// TestDrainTellsOfADeadKubelet: while pods are waited for that nothing ends, that is told, and not only when the time has run out.
func TestDrainTellsOfADeadKubelet(t *testing.T) {
	f := newFakeAPI()
	f.linger = -1
	client := connect(t, f)
	f.put("nodes", nodeThat("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
	f.put("pods", ownedPod("web-1", func(o object) { metadata(o)["deletionTimestamp"] = "2026-11-29T03:00:00Z" }))
	var told []string
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	_ = client.Drain(ctx, "w1", lifecycle.Drain{Timeout: 5 * time.Minute, EvictionRetry: time.Minute}, func(line string) {
		told = append(told, line)
		enough()
	})
	want := "shop/web-1: asked to leave, and nothing ends them there: node w1 is not Ready (NodeStatusUnknown: Kubelet stopped posting node " +
		"status.)"
	if !slices.Equal(told, []string{want}) {
		t.Errorf("told: %q", told)
	}
}

// TestDrainNeverEvictsTheSuccessor: an eviction whose answer was lost is not repeated on the pod of the same name that was made since, be
// it elsewhere or on the same node.
func TestDrainNeverEvictsTheSuccessor(t *testing.T) {
	for _, where := range []string{"w2", "w1"} {
		t.Run("successor on "+where, func(t *testing.T) {
			t.Parallel()
			f := newFakeAPI()
			f.linger = -1
			c := connect(t, f)
			successor := func(o object) {
				spec(o)["nodeName"] = where
				spec(o)["tolerations"] = []any{map[string]any{"operator": "Exists"}} // so that it may come back where it was
			}
			f.put("pods", ownedPod("db-0", successor, func(o object) { spec(o)["nodeName"] = "w1" }))
			var asked atomic.Int32
			f.refuse = func(r *http.Request) (int, bool) {
				if !strings.HasSuffix(r.URL.Path, "/eviction") || asked.Add(1) > 1 {
					return 0, false
				}
				f.mu.Lock() // it is granted, and the answer is lost
				f.remove("pods", "shop/db-0")
				f.put("pods", ownedPod("db-0", successor))
				f.mu.Unlock()
				panic(http.ErrAbortHandler)
			}
			if err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 5 * time.Second, EvictionRetry: 300 * time.Millisecond},
				func(string) {}); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if p := f.objects["pods"]["shop/db-0"]; p == nil || metadata(p)["deletionTimestamp"] != nil {
				t.Errorf("the successor was evicted: %v", p)
			}
		})
	}
}

// TestDrainEvictsByIdentity: a pod that was replaced between the look and the eviction is met by no eviction.
func TestDrainEvictsByIdentity(t *testing.T) {
	f := newFakeAPI()
	f.linger = -1
	c := connect(t, f)
	f.put("pods", ownedPod("db-0"))
	var asked atomic.Int32
	f.refuse = func(r *http.Request) (int, bool) {
		if strings.HasSuffix(r.URL.Path, "/eviction") && asked.Add(1) == 1 {
			f.mu.Lock() // just now it makes way for one elsewhere
			f.remove("pods", "shop/db-0")
			f.put("pods", ownedPod("db-0", func(o object) { spec(o)["nodeName"] = "w2" }))
			f.mu.Unlock()
		}
		return 0, false
	}
	if err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 5 * time.Second, EvictionRetry: 300 * time.Millisecond},
		func(string) {}); err != nil {
		t.Error(err)
	}
	if p := f.objects["pods"]["shop/db-0"]; p == nil || metadata(p)["deletionTimestamp"] != nil {
		t.Errorf("the successor was evicted: %v", p)
	}
}

// TestDrainLeavesWhatNoCordonKeepsAway: a pod that comes back to the node, for it tolerates the cordon or its owner binds it there, is
// evicted once and then left, as kubectl leaves it. One that the scheduler had placed before the cordon goes too.
func TestDrainLeavesWhatNoCordonKeepsAway(t *testing.T) {
	bound := object{"metadata": map[string]any{"namespace": "shop", "name": "web", "uid": "rs1"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"nodeName": "w1"}}}}
	for name, c := range map[string]struct {
		edit   func(object)
		set    object
		leaves bool
	}{
		"it tolerates everything": {edit: func(o object) { spec(o)["tolerations"] = []any{map[string]any{"operator": "Exists"}} }},
		"it tolerates the cordon": {edit: func(o object) {
			spec(o)["tolerations"] = []any{map[string]any{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}}
		}},
		"its owner binds it to the node": {edit: func(object) {}, set: bound},
		"the scheduler was faster":       {edit: func(object) {}, leaves: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAPI()
			f.linger = 300 * time.Millisecond // so that it is back before the first has gone
			client := connect(t, f)
			if c.set != nil {
				f.put("replicasets", c.set)
			}
			f.put("pods", ownedPod("web-1", c.edit))
			var asked atomic.Int32
			f.refuse = func(r *http.Request) (int, bool) {
				if n := asked.Add(1); strings.HasSuffix(r.URL.Path, "/eviction") && n < 100 {
					f.mu.Lock()
					f.put("pods", ownedPod("web-back", c.edit))
					f.mu.Unlock()
					asked.Store(100)
				}
				return 0, false
			}
			var lines lineLog
			if err := client.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 5 * time.Second, EvictionRetry: 300 * time.Millisecond},
				lines.add); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if there := f.objects["pods"]["shop/web-back"] != nil; there == c.leaves || (f.evictions["shop/web-back"] > 0) != c.leaves {
				t.Errorf("it is there: %v, after %d evictions", there, f.evictions["shop/web-back"])
			}
			if !c.leaves {
				if said := "shop/web-back came to the node while it was drained and is left there: "; strings.Count(lines.all(), said) != 1 {
					t.Errorf("want %q once in\n%s", said, lines.all())
				}
			}
		})
	}
}

// TestDrainWaitsForVolumes: volumes that one node alone may have are detached before the node's k0s stops; what is not in time is told and
// holds nothing up.
func TestDrainWaitsForVolumes(t *testing.T) {
	claim := func(mode string) object {
		return object{"metadata": map[string]any{"namespace": "shop", "name": "data-db-0"},
			"spec": map[string]any{"volumeName": "pv-1", "accessModes": []any{mode}}}
	}
	attached := object{"metadata": map[string]any{"name": "csi-1"}, "spec": map[string]any{"attacher": "csi.example", "nodeName": "w1",
		"source": map[string]any{"persistentVolumeName": "pv-1"}}}
	withClaim := func(o object) {
		spec(o)["volumes"] = []any{map[string]any{"name": "d", "persistentVolumeClaim": map[string]any{"claimName": "data-db-0"}}}
	}
	for name, c := range map[string]struct {
		mode     string
		detaches time.Duration // zero: never
		timeout  time.Duration
		least    time.Duration
		says     string
	}{
		"detached after a while": {"ReadWriteOnce", 1500 * time.Millisecond, time.Minute, time.Second,
			"waiting until its volumes are detached from w1: shop/data-db-0"},
		"never":                     {"ReadWriteOncePod", 0, 3 * time.Second, 2 * time.Second, "not detached from w1 within "},
		"several nodes may have it": {"ReadWriteMany", 0, time.Minute, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAPI()
			client := connect(t, f)
			f.put("persistentvolumeclaims", claim(c.mode))
			f.put("volumeattachments", object(copied(attached).Object))
			f.put("volumeattachments", object{"metadata": map[string]any{"name": "csi-2"}, "spec": map[string]any{"attacher": "csi.example",
				"nodeName": "w2", "source": map[string]any{"persistentVolumeName": "pv-1"}}}) // where the pod is to run next
			f.put("pods", ownedPod("db-0", withClaim))
			if c.detaches > 0 {
				time.AfterFunc(c.detaches, func() {
					f.mu.Lock()
					defer f.mu.Unlock()
					f.remove("volumeattachments", "/csi-1")
				})
			}
			var lines lineLog
			began := time.Now()
			if err := client.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: c.timeout, EvictionRetry: time.Second}, lines.add); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < c.least {
				t.Errorf("it took %s", took)
			}
			if strings.Count(lines.all(), "etached from w1") > 0 != (c.says != "") || !strings.Contains(lines.all(), c.says) {
				t.Errorf("want %q in\n%s", c.says, lines.all())
			}
		})
	}
}
