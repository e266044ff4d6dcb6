package kube

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

const plain1 = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n---\napiVersion: v1\nkind: ConfigMap\n" +
	"metadata: {name: b}"

func shop(t *testing.T) (*fakeAPI, *Client) {
	t.Helper()
	f := newFakeAPI()
	f.put("namespaces", object{"metadata": map[string]any{"name": "shop"}})
	c := connect(t, f)
	c.pause = time.Millisecond
	return f, c
}

// TestApplyGoesOn: what passes is waited for, be it a webhook or an API server that is overloaded, and said once.
func TestApplyGoesOn(t *testing.T) {
	f, c := shop(t)
	var refusals, busy atomic.Int32
	f.judge = func(_, key string, _ object) (int, string, []any) {
		if key == "shop/b" && refusals.Add(1) < 3 {
			return http.StatusInternalServerError, `Internal error occurred: failed calling webhook "hook.dev": connect: connection refused`, nil
		}
		return 0, "", nil
	}
	f.refuse = func(r *http.Request) (int, bool) {
		return http.StatusTooManyRequests, r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/a") && busy.Add(1) < 2
	}
	var lines lineLog
	if err := c.ApplyObjects(t.Context(), declared(t, plain1), "shop", lines.add); err != nil {
		t.Fatal(err)
	}
	lines.want(t, "ConfigMap shop/b waits: webhook hook.dev is not up yet", 1)
	lines.want(t, "applied 2 of 2 objects", 1)
	if f.objects["configmaps"]["shop/a"] == nil || f.objects["configmaps"]["shop/b"] == nil {
		t.Error("an object is missing")
	}
}

// TestApplyRefused: a policy's refusal ends it at once, and nothing after the refused object is applied.
func TestApplyRefused(t *testing.T) {
	f, c := shop(t)
	f.judge = func(_, key string, _ object) (int, string, []any) {
		if key == "shop/a" {
			return http.StatusForbidden, `admission webhook "policy.dev" denied the request: no`, nil
		}
		return 0, "", nil
	}
	err := c.ApplyObjects(t.Context(), declared(t, plain1), "shop", func(string) {})
	wantDiagnostic(t, err, lifecycle.SeverityError, "the API refuses ConfigMap shop/a")
	if d, _ := errors.AsType[lifecycle.Diagnostic](err); d.Subject != "objects.yaml:1" || !strings.Contains(d.Detail, "policy.dev") {
		t.Errorf("got %+v", d)
	}
	if f.objects["configmaps"]["shop/b"] != nil {
		t.Error("it went on after a refusal")
	}
}

// TestApplyInterrupted: the context's end is the error, and nothing waits on.
func TestApplyInterrupted(t *testing.T) {
	f, c := shop(t)
	f.judge = func(string, string, object) (int, string, []any) {
		return http.StatusInternalServerError, `failed calling webhook "hook.dev": no endpoints available`, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := c.ApplyObjects(ctx, declared(t, plain1), "shop", func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestMadeAnew: an object that can't be changed is deleted and made again, if nothing is lost by it.
func TestMadeAnew(t *testing.T) {
	f, c := shop(t)
	f.put("configmaps", object{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": "shop", "name": "a", "uid": "old"}, "immutable": true})
	f.put("deployments", object{"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"namespace": "shop", "name": "d", "uid": "old"}})
	f.judge = func(collection, key string, _ object) (int, string, []any) {
		if o := f.objects[collection][key]; o != nil && text(metadata(o), "uid") == "old" {
			return http.StatusUnprocessableEntity, "invalid",
				[]any{map[string]any{"field": "data", "message": "Forbidden: field is immutable when `immutable` is set"}}
		}
		return 0, "", nil
	}
	objs := declared(t, plain1)[:1]
	s := &stage{client: c, namespace: "shop"}
	s.want(t, "compare", s.compare(t, objs, lifecycle.CompareOptions{}), "replace ConfigMap a: can't be changed in place: data",
		`  data:  -> {"k":"v"}`)
	if lines := s.apply(t, objs); !strings.Contains(lines, "ConfigMap shop/a is made anew: data can't be changed in place") {
		t.Errorf("got %s", lines)
	}
	if text(metadata(f.objects["configmaps"]["shop/a"]), "uid") == "old" {
		t.Error("it is the old one")
	}
	deployment := declared(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}")
	wantDiagnostic(t, c.ApplyObjects(t.Context(), deployment, "shop", func(string) {}), lifecycle.SeverityBlocked, "can't be changed in place")
	if f.objects["deployments"]["shop/d"] == nil {
		t.Error("it was deleted")
	}
}

// TestHealthInWords: replicas are counted in words.
func TestHealthInWords(t *testing.T) {
	for want, o := range map[string]object{
		"3 of 4 pods are ready": {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": map[string]any{"name": "x", "generation": int64(2)},
			"status": map[string]any{"observedGeneration": int64(2), "desiredNumberScheduled": int64(4), "currentNumberScheduled": int64(4),
				"updatedNumberScheduled": int64(4), "numberReady": int64(3), "numberAvailable": int64(3)}},
		"1 of 4 pods are of the new revision": {"kind": "DaemonSet", "apiVersion": "apps/v1",
			"metadata": map[string]any{"name": "x", "generation": int64(2)},
			"status": map[string]any{"observedGeneration": int64(2), "desiredNumberScheduled": int64(4), "currentNumberScheduled": int64(4),
				"updatedNumberScheduled": int64(1), "numberReady": int64(4), "numberAvailable": int64(4)}},
		"0 of 2 pods are ready, and its progress deadline has passed": {"kind": "Deployment", "apiVersion": "apps/v1",
			"metadata": map[string]any{"name": "x"}, "spec": map[string]any{"replicas": int64(2), "progressDeadlineSeconds": int64(10)},
			"status": map[string]any{"replicas": int64(2), "updatedReplicas": int64(2),
				"conditions": []any{map[string]any{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}}}},
	} {
		h, err := judged(&unstructured.Unstructured{Object: o})
		if err != nil || !strings.HasSuffix(h.Why, " x: "+want) || h.Status == lifecycle.HealthCurrent {
			t.Errorf("got %+v, %v, want %q", h, err, want)
		}
	}
	gone, err := judged(&unstructured.Unstructured{Object: object{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "x", "deletionTimestamp": "2026-01-02T12:00:00Z"}}})
	if err != nil || gone.Status != lifecycle.HealthInProgress {
		t.Errorf("got %+v, %v", gone, err)
	}
}

// TestWebhookWithoutDryRun: a webhook whose calls have effects is not asked, and is no refusal.
func TestWebhookWithoutDryRun(t *testing.T) {
	f, c := shop(t)
	s := &stage{client: c, namespace: "shop"}
	objs := declared(t, plain1)
	s.apply(t, objs)
	f.judge = func(string, string, object) (int, string, []any) {
		return http.StatusBadRequest, `admission webhook "audit.dev" does not support dry run`, nil
	}
	s.want(t, "as declared", s.compare(t, objs, lifecycle.CompareOptions{}))
	other := declared(t, strings.Replace(plain1, "k: v", "k: w", 1))
	s.want(t, "otherwise", s.compare(t, other, lifecycle.CompareOptions{}),
		"update ConfigMap a: could not be judged: webhook audit.dev takes no dry runs")
}
