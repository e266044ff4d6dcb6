package kube

import (
	"context"
	"net/http"
	"slices"
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
			if took := time.Since(began); took > time.Minute {
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

// An image of the probes that no registry gives proves nothing: the promise names the image, at once and not when the time is up.
func TestVerifyNamesAMissingImage(t *testing.T) {
	for reason, missing := range map[string]bool{"ImagePullBackOff": true, "InvalidImageName": true, "ErrImagePull": false,
		"ContainerCreating": false} {
		f := newFakeAPI()
		c := connect(t, f)
		f.refuse = func(r *http.Request) (int, bool) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/pods/dns") {
				f.mu.Lock()
				defer f.mu.Unlock()
				if pod := f.objects["pods"]["kiban-verify-run-1/dns"]; pod != nil {
					pod["status"] = object{"phase": "Pending", "containerStatuses": []any{object{"name": "probe",
						"state": object{"waiting": object{"reason": reason, "message": "Back-off pulling image \"m.example/a:1\""}}}}}
				}
			}
			return 0, false
		}
		patience := 3 * time.Second
		if missing {
			patience = time.Minute // it is not used up
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got := c.Verify(ctx, lifecycle.Platform{ProbeImage: "m.example/a:1"}, "run-1", func(string) {})
		early := ctx.Err() == nil
		cancel()
		i := slices.IndexFunc(got, func(p lifecycle.Promise) bool { return p.Name == "dns" })
		if i < 0 || !got[i].IsBroken() || (got[i].MissingImage == "m.example/a:1") != missing || early != missing ||
			missing && !strings.Contains(got[i].Reason, "can't have its image m.example/a:1: Back-off") {
			t.Errorf("%s: early is %v, %+v", reason, early, got)
		}
	}
}

// A missing image is named with the field that names it, apart from promises that are broken.
func TestUnkept(t *testing.T) {
	ds := lifecycle.Unkept("lab", []lifecycle.Promise{
		{Name: "dns", State: lifecycle.GateFailed, Reason: "pod dns can't have it", MissingImage: "a:1"},
		{Name: "storage", State: lifecycle.GateFailed, Reason: "not bound"}, {Name: "load balancer", State: lifecycle.GateMet}})
	if len(ds) != 2 || !strings.Contains(ds[0].Summary, "can't be pulled: a:1") || !strings.Contains(ds[0].Hint, "spec.platform.probeImage") ||
		strings.Contains(ds[1].Summary, "dns") || !strings.Contains(ds[1].Summary, "storage") {
		t.Errorf("%v", ds)
	}
	if ds := lifecycle.Unkept("lab", []lifecycle.Promise{{Name: "dns", State: lifecycle.GateMet}}); len(ds) > 0 {
		t.Errorf("%v", ds)
	}
}
