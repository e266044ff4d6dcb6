package kube

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A proof that runs out of time says which promise was not kept by then, and leaves nothing behind.
func TestVerifyEndsInTime(t *testing.T) {
	looks := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/services/")
	}
	makes := func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/namespaces")
	}
	for _, tt := range []struct {
		name string
		// last is the request whose second occurrence is the end of the time.
		last func(*http.Request) bool
		late bool
		want string
	}{
		{"a promise is not kept", looks, false, "a Service of type LoadBalancer gets no address: no controller has said anything of it"},
		{"the API takes the namespace, and its answer comes too late", makes, true, "no namespace for the probes could be made"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeAPI()
			c := connect(t, f)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int32
			f.refuse = func(r *http.Request) (int, bool) {
				if !tt.last(r) {
					return 0, false
				}
				if asked.Add(1) == 2 {
					cancel()
				}
				return http.StatusServiceUnavailable, tt.late
			}
			if tt.late {
				f.put("namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "kiban-verify-run-1"}})
			}
			began := time.Now()
			platform := lifecycle.Platform{LoadBalancer: lifecycle.PlatformLoadBalancer{Promised: true}}
			got := c.Verify(ctx, platform, "run-1", func(string) {})
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if len(got) == 0 || got[0].Name != "load balancer" || got[0].State != lifecycle.GateFailed || !strings.Contains(got[0].Reason, tt.want) {
				t.Errorf("promises %+v, want the load balancer's broken: %s", got, tt.want)
			}
			for _, p := range got {
				if p.Name == "clean up" {
					t.Errorf("left behind: %s", p.Reason)
				}
			}
			found, err := c.Existing(t.Context(), []lifecycle.ObjectRef{{APIVersion: "v1", Kind: "Namespace", Name: "kiban-verify-run-1"}})
			if err != nil || len(found) > 0 {
				t.Errorf("left behind: %v, %v", found, err)
			}
		})
	}
}
