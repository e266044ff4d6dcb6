package kube

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

func toldAt(claim string, minute int) lifecycle.Told {
	return lifecycle.Told{Claim: claim, By: "job " + claim, At: time.Date(2026, 11, 22, 5, minute, 0, 0, time.UTC)}
}

// claims asks for the message that the site has drifted.
func claims(t *testing.T, c *Client, mine lifecycle.Told) (claimed forge.Claimed, why string) {
	t.Helper()
	m := forge.LookMessage(lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "worker-1/files"}}})
	if err := c.UpdateTold(t.Context(),
		func(told map[string]lifecycle.Told) { claimed, why = forge.Book(told).Claim(m, "webhook", mine) }); err != nil {
		t.Fatal(err)
	}
	return claimed, why
}

func TestTheClusterRemembersWhatWasTold(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	mine := toldAt("1", 0)
	claimed, why := claims(t, c, mine)
	if why != "" {
		t.Fatal(why)
	}
	if _, why := claims(t, c, toldAt("2", 1)); !strings.HasPrefix(why, "being told by job 1") {
		t.Errorf("before it was confirmed: %q", why)
	}
	if err := c.UpdateTold(t.Context(), func(told map[string]lifecycle.Told) { forge.Book(told).Confirm(claimed, mine) }); err != nil {
		t.Fatal(err)
	}
	if _, why := claims(t, c, toldAt("2", 30)); !strings.HasPrefix(why, "told already by job 1") {
		t.Errorf("after it was told: %q", why)
	}
	if labels := metadata(
		f.objects["configmaps"]["kube-system/"+toldName],
	)["labels"].(map[string]any); labels["app.kubernetes.io/managed-by"] != "kiban" {
		t.Errorf("labels: %v", labels)
	}
}

func TestAClaimThatWasNeverConfirmedIsRetaken(t *testing.T) {
	c := connect(t, newFakeAPI())
	if _, why := claims(t, c, toldAt("1", 0)); why != "" {
		t.Fatal(why)
	}
	if _, why := claims(t, c, toldAt("2", 9)); why == "" {
		t.Error("it was retaken after nine minutes")
	}
	if _, why := claims(t, c, toldAt("2", 10)); why != "" {
		t.Errorf("it was not retaken after ten minutes: %s", why)
	}
}

// Many that claim the same message at once: the API refuses all but one of those that wrote on top of the same.
func TestOneOfManyHasTheMessage(t *testing.T) {
	c := connect(t, newFakeAPI())
	c.pause = time.Millisecond
	var wg sync.WaitGroup
	var mu sync.Mutex
	var had []string
	for _, name := range []string{"1", "2", "3", "4", "5", "6"} {
		wg.Go(func() {
			if _, why := claims(t, c, toldAt(name, 0)); why == "" {
				mu.Lock()
				defer mu.Unlock()
				had = append(had, name)
			}
		})
	}
	wg.Wait()
	if len(had) != 1 {
		t.Errorf("%v have it, want one", had)
	}
}

// Between its read and its write, another's claim arrives.
func TestAClaimIsLostToTheFaster(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	other := forge.LookMessage(lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "other"}}})
	if err := c.UpdateTold(t.Context(),
		func(told map[string]lifecycle.Told) { forge.Book(told).Claim(other, "webhook", toldAt("0", 0)) }); err != nil {
		t.Fatal(err)
	}
	fast := connect(t, f)
	var once sync.Once
	f.refuse = func(r *http.Request) (int, bool) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, toldName) {
			once.Do(func() {
				f.mu.Lock()
				f.refuse = nil
				f.mu.Unlock()
				if _, why := claims(t, fast, toldAt("fast", 0)); why != "" {
					t.Error(why)
				}
			})
		}
		return 0, false
	}
	if _, why := claims(t, c, toldAt("slow", 0)); !strings.HasPrefix(why, "being told by job fast") {
		t.Errorf("got %q", why)
	}
}

func TestToldIsBoundedAndWrittenOnlyWhenItChanges(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	var fill = func(told map[string]lifecycle.Told) {
		for n := range forge.MostRemembered + 7 {
			m := forge.LostMessage("lab", strings.Repeat("a", n+1), "failed")
			mine := toldAt("1", n)
			claimed, _ := forge.Book(told).Claim(m, "webhook", mine)
			forge.Book(told).Confirm(claimed, mine)
		}
	}
	if err := c.UpdateTold(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	f.objects["configmaps"]["kube-system/"+toldName]["data"].(map[string]any)["notes"] = "by hand"
	before := metadata(f.objects["configmaps"]["kube-system/"+toldName])["resourceVersion"]
	n := 0
	if err := c.UpdateTold(t.Context(), func(told map[string]lifecycle.Told) { n = len(told) }); err != nil || n != forge.MostRemembered {
		t.Errorf("%d, %v; want %d", n, err, forge.MostRemembered)
	}
	if after := metadata(f.objects["configmaps"]["kube-system/"+toldName])["resourceVersion"]; after != before {
		t.Error("what did not change was written")
	}
	if err := c.UpdateTold(t.Context(), func(told map[string]lifecycle.Told) { clear(told) }); err != nil {
		t.Fatal(err)
	}
	if data := f.objects["configmaps"]["kube-system/"+toldName]["data"].(map[string]any); len(data) != 1 || data["notes"] != "by hand" {
		t.Errorf("left: %v; want what is not kiban's alone", data)
	}
}

// A write that is tried until there is no time left says what did not come, and why the last try failed.
func TestAWriteInVainSaysWhy(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Hour
	f.refuse = func(r *http.Request) (int, bool) { return http.StatusServiceUnavailable, r.Method != http.MethodGet }
	ctx, cancel := lifecycle.Within(t.Context(), 100*time.Millisecond, "no answer")
	defer cancel()
	err := c.UpdateTold(ctx, func(told map[string]lifecycle.Told) { told["x"] = toldAt("1", 0) })
	if !errors.Is(err, context.DeadlineExceeded) || !apierrors.IsServiceUnavailable(err) ||
		!strings.Contains(err.Error(), "no answer within 100ms: write ") {
		t.Errorf("got %v", err)
	}
}

func TestAClusterThatDoesNotRememberIsAnError(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	f.refuse = func(r *http.Request) (int, bool) { return http.StatusForbidden, r.Method != http.MethodGet }
	if err := c.UpdateTold(t.Context(), func(told map[string]lifecycle.Told) { told["x"] = toldAt("1", 0) }); err == nil {
		t.Error("a refused write was no error")
	}
}
