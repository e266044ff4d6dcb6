package kube

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

func ownedPod(name string, edit ...func(object)) object {
	o := object{"metadata": map[string]any{"namespace": "shop", "name": name, "labels": map[string]any{"app": "web"},
		"ownerReferences": []any{map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs1", "controller": true}}},
		"spec": map[string]any{"nodeName": "w1"}}
	for _, e := range edit {
		e(o)
	}
	return o
}

func budgetOver(app string, minAvailable int) object {
	return object{"metadata": map[string]any{"namespace": "shop", "name": app},
		"spec": map[string]any{"minAvailable": minAvailable, "selector": map[string]any{"matchLabels": map[string]any{"app": app}}}}
}

// TestHazard_H35_EvictionPace guards H35: a refused eviction is asked for about once in each retry interval, whatever Retry-After the
// server adds, and however often the budget's status changes without giving way.
func TestHazard_H35_EvictionPace(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("pods", ownedPod("web-1"))
	f.put("poddisruptionbudgets", budgetOver("web", 1))
	err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 2100 * time.Millisecond, EvictionRetry: 500 * time.Millisecond},
		func(string) {})
	wantDiagnostic(t, err, lifecycle.SeverityBlocked, "1 pod left")
	if n := f.evictions["shop/web-1"]; n < 4 || n > 6 {
		t.Errorf("the eviction was asked for %d times in 2.1s at 0.5s", n)
	}
}

// TestHazard_H35_EvictionPaceByDefault: a policy without an interval gets one.
func TestHazard_H35_EvictionPaceByDefault(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("pods", ownedPod("web-1"))
	f.put("poddisruptionbudgets", budgetOver("web", 1))
	_ = c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: time.Second}, func(string) {})
	if n := f.evictions["shop/web-1"]; n != 1 {
		t.Errorf("the eviction was asked for %d times in 1s", n)
	}
}

// TestDrainOneByOne: pods under one budget leave as it allows, without waiting out the retry interval between them.
func TestDrainOneByOne(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	for _, name := range []string{"web-1", "web-2", "web-3"} {
		f.put("pods", ownedPod(name))
	}
	f.put("pods", ownedPod("web-4", func(o object) { o["spec"].(map[string]any)["nodeName"] = "w2" }))
	f.put("poddisruptionbudgets", budgetOver("web", 3))
	replaced := atomic.Int32{}
	done := make(chan struct{})
	go func() { // a controller makes a new pod elsewhere for each that went
		defer close(done)
		for replaced.Load() < 3 {
			time.Sleep(50 * time.Millisecond)
			f.mu.Lock()
			if len(f.objects["pods"]) < 4 {
				n := replaced.Add(1)
				f.put("pods", ownedPod("new-"+string(rune('0'+n)), func(o object) { o["spec"].(map[string]any)["nodeName"] = "w2" }))
			}
			f.mu.Unlock()
		}
	}()
	began := time.Now()
	policy := lifecycle.Drain{Timeout: 10 * time.Minute, EvictionRetry: 5 * time.Minute}
	if err := c.Drain(t.Context(), "w1", policy, func(string) {}); err != nil {
		t.Fatal(err)
	}
	<-done
	if d := time.Since(began); d > time.Minute {
		t.Errorf("it took %s", d)
	}
}

// TestDrainSurvivesTrouble: a broken connection or an unwilling server is not the end of a drain.
func TestDrainSurvivesTrouble(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("pods", ownedPod("web-1"))
	f.put("pods", ownedPod("web-2"))
	var troubles atomic.Int32
	f.refuse = func(r *http.Request) (int, bool) {
		if strings.Contains(r.URL.Path, "pods") && troubles.Add(1) <= 6 {
			if troubles.Load()%2 == 0 {
				panic(http.ErrAbortHandler)
			}
			return http.StatusInternalServerError, true
		}
		return 0, false
	}
	if err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: time.Minute, EvictionRetry: 100 * time.Millisecond},
		func(string) {}); err != nil {
		t.Error(err)
	}
	if troubles.Load() < 6 {
		t.Errorf("only %d troubles were met", troubles.Load())
	}
}

// TestDrainRefusedForGood: what waiting does not cure ends the drain at once.
func TestDrainRefusedForGood(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("pods", ownedPod("web-1"))
	f.refuse = func(r *http.Request) (int, bool) {
		return http.StatusForbidden, strings.HasSuffix(r.URL.Path, "/eviction")
	}
	began := time.Now()
	err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 10 * time.Minute, EvictionRetry: time.Second}, func(string) {})
	wantDiagnostic(t, err, lifecycle.SeverityBlocked, "refuses to evict shop/web-1")
	if time.Since(began) > time.Minute {
		t.Errorf("it took %s", time.Since(began))
	}
}

// TestDrainRefusesANodeThatIsOpen: nothing is evicted from a node that takes new pods, and one that was opened meanwhile is not drained.
func TestDrainRefusesANodeThatIsOpen(t *testing.T) {
	for name, c := range map[string]struct {
		closed, opens bool // when it begins; meanwhile
		pods          int
		evicted       int
		refused       bool
	}{
		"closed":                     {closed: true, pods: 1, evicted: 1},
		"closed and empty":           {closed: true},
		"open":                       {pods: 1, refused: true},
		"open and empty":             {refused: true},
		"opened while it is emptied": {closed: true, opens: true, pods: 1, evicted: 1, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAPI()
			client := connect(t, f)
			node := func(closed bool) object {
				return object{"metadata": map[string]any{"name": "w1"}, "spec": map[string]any{"unschedulable": closed}}
			}
			f.put("nodes", node(c.closed))
			for range c.pods {
				f.put("pods", ownedPod("web-1"))
			}
			err := client.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 10 * time.Second, EvictionRetry: time.Second}, func(string) {
				if c.opens {
					f.put("nodes", node(false))
				}
			})
			if c.refused {
				wantDiagnostic(t, err, lifecycle.SeverityBlocked, "open for new pods")
			} else if err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if n := f.evictions["shop/web-1"]; n != c.evicted {
				t.Errorf("%d evictions were asked for, want %d", n, c.evicted)
			}
		})
	}
}

// TestDrainLeavesAlone: daemon sets, static pods and pods of other nodes stay; finished pods go.
func TestDrainLeavesAlone(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("daemonsets", object{"metadata": map[string]any{"namespace": "shop", "name": "agent"}})
	f.put("pods", ownedPod("agent-1", func(o object) {
		metadata(o)["ownerReferences"] = []any{map[string]any{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "d1",
			"controller": true}}
	}))
	f.put("pods", ownedPod("static", func(o object) { metadata(o)["annotations"] = map[string]any{"kubernetes.io/config.mirror": "x"} }))
	f.put("pods", ownedPod("elsewhere", func(o object) { o["spec"].(map[string]any)["nodeName"] = "w2" }))
	f.put("pods", ownedPod("done", func(o object) {
		delete(metadata(o), "ownerReferences")
		o["status"] = map[string]any{"phase": "Succeeded"}
	}))
	if err := c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 10 * time.Second, EvictionRetry: time.Second}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{"agent-1": true, "static": true, "elsewhere": true, "done": false} {
		if got := f.objects["pods"]["shop/"+name] != nil; got != stays {
			t.Errorf("%s: there=%v, want %v", name, got, stays)
		}
	}
}

// BenchmarkFacts observes a cluster of 1,000 nodes and 10,000 pods under 100 budgets.
func BenchmarkFacts(b *testing.B) {
	f := newFakeAPI()
	c := connect(b, f)
	node := func(i int) string { return "worker-" + time.Duration(i).String() }
	for i := range 1000 {
		f.put("nodes", object{"metadata": map[string]any{"name": node(i)}, "spec": map[string]any{}, "status": map[string]any{}})
		f.put("leases", object{"metadata": map[string]any{"namespace": "kube-node-lease", "name": node(i)}, "spec": map[string]any{}})
	}
	pods := map[string]object{}
	for i := range 10000 {
		o := ownedPod("web-"+time.Duration(i).String(), func(o object) {
			o["spec"].(map[string]any)["nodeName"] = node(i % 1000)
			metadata(o)["labels"] = map[string]any{"app": node(i % 100)}
		})
		pods[keyOf(o)] = o
	}
	f.objects["pods"] = pods
	f.objects["poddisruptionbudgets"] = map[string]object{}
	for i := range 100 {
		o := budgetOver(node(i), 1)
		f.objects["poddisruptionbudgets"][keyOf(o)] = o
	}
	b.ReportAllocs()
	for b.Loop() {
		facts, err := c.Facts(b.Context())
		if err != nil || len(facts.Nodes) != 1000 || len(facts.Budgets) != 100 || len(facts.Budgets[0].Pods) != 100 {
			b.Fatalf("%d nodes, %d budgets, %v", len(facts.Nodes), len(facts.Budgets), err)
		}
	}
}

// TestDrainAsksForOnePodOfABudget: what a budget tells of one pod goes for the others that it guards, so they are not asked for at each
// interval.
func TestDrainAsksForOnePodOfABudget(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	names := []string{"web-1", "web-2", "web-3", "web-4", "web-5"}
	for _, name := range names {
		f.put("pods", ownedPod(name))
	}
	f.put("poddisruptionbudgets", budgetOver("web", 5))
	_ = c.Drain(t.Context(), "w1", lifecycle.Drain{Timeout: 2100 * time.Millisecond, EvictionRetry: 400 * time.Millisecond}, func(string) {})
	all := 0
	for _, name := range names {
		if f.evictions["shop/"+name] == 0 {
			t.Errorf("%s was never asked for", name)
		}
		all += f.evictions["shop/"+name]
	}
	if all < 8 || all > 11 { // each once, then one at each of five intervals
		t.Errorf("evictions were asked for %d times: %v", all, f.evictions)
	}
}

// TestPodUnderTwoBudgetsIsRefusedAtOnce: the API says so with an error of the server's that waiting does not cure.
func TestPodUnderTwoBudgetsIsRefusedAtOnce(t *testing.T) {
	answer := &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError,
		Message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."}}
	if !moreThanOneBudget(answer) || moreThanOneBudget(errors.New("more than one PodDisruptionBudget")) {
		t.Error("it is not told from other failures")
	}
}
