package helm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	rcommon "helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lifecycle"
)

// rig is a fake cluster, a client of it, and the gate addon.
type rig struct {
	*fakeCluster
	client *Client
	site   lifecycle.Site
	addon  lifecycle.Addon
	said   []string
}

func newRig(t *testing.T, change func(map[string]string)) *rig {
	dir, a := gateAddon(t, "", change)
	f := newFakeCluster()
	return &rig{fakeCluster: f, client: f.client(testStore(StoreOptions{})), site: site(dir), addon: a}
}

func (r *rig) deploy(ctx context.Context) error {
	return r.client.Deploy(ctx, r.site, r.addon, lifecycle.Capabilities{Kubernetes: "v1.36.3"}, func(s string) { r.said = append(r.said, s) })
}

func (r *rig) must(t *testing.T) {
	t.Helper()
	if err := r.deploy(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) release(t *testing.T) lifecycle.Release {
	t.Helper()
	rel, err := r.client.Release(context.Background(), "gates", "door")
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

// cutOff leaves the records as a run does that is killed in the middle of an operation.
func (r *rig) cutOff(t *testing.T, status rcommon.Status) {
	t.Helper()
	records := storage.Init(r.records)
	last := r.release(t).Revision
	rec := &release.Release{Name: "door", Namespace: "gates", Version: last + 1, Info: &release.Info{Status: status}, ApplyMethod: "ssa"}
	if last > 0 {
		former := r.record(t, "door", last)
		rec.Chart, rec.Config, rec.Manifest = former.Chart, former.Config, former.Manifest
	}
	if err := records.Create(rec); err != nil {
		t.Fatal(err)
	}
}

func TestInstallAndUpgrade(t *testing.T) {
	r := newRig(t, nil)
	if rel := r.release(t); rel.Revision != 0 || rel.Name != "" {
		t.Errorf("there is no release yet: %+v", rel)
	}
	r.must(t)
	rel := r.release(t)
	if rel.Status != "deployed" || rel.Revision != 1 || rel.Former != 0 || rel.Chart != "gate" || rel.Version != "1.0.0" || rel.Pending() ||
		rel.KubeVersion != ">= 1.30.0-0" || rel.AppVersion != "v9" {
		t.Errorf("%+v", rel)
	}
	if !slices.ContainsFunc(rel.Objects, func(o lifecycle.ObjectRef) bool { return o.String() == "Deployment door" }) ||
		len(rel.Objects) != 5 {
		t.Errorf("objects %v", rel.Objects)
	}
	if did := r.doings(); slices.Index(did, "create Job init") != 1 ||
		slices.ContainsFunc(did, func(s string) bool { return strings.Contains(s, "Rule") || strings.Contains(s, "Definition") }) {
		t.Errorf("the hook goes first, crds/ is not Helm's: %q", did)
	}
	if _, err := r.client.store.Render(context.Background(), r.site, r.addon, lifecycle.Capabilities{}); err != nil {
		t.Error(err)
	}
	r.addon.Chart.Values = []byte(`{"replicas":3}`)
	r.must(t)
	rel = r.release(t)
	if rel.Status != "deployed" || rel.Revision != 2 || rel.Former != 1 {
		t.Errorf("%+v", rel)
	}
	wants(t, string(r.live["deployments/door"]), `"replicas":3`, `"meta.helm.sh/release-name":"door"`)
	r.addon.Chart.Values = nil
	r.must(t)
	wants(t, string(r.live["deployments/door"]), `"replicas":1`) // values that are no longer declared are gone
	wants(t, strings.Join(r.said, "\n"), "installing gate 1.0.0", "upgrading to gate 1.0.0 over 1.0.0")
	for range 12 {
		r.must(t)
	}
	if all, _ := r.records.Query(map[string]string{"name": "door", "owner": "helm"}); len(all) != history {
		t.Errorf("%d records", len(all))
	}
}

func TestCutOffOperationsAreTakenUp(t *testing.T) {
	for _, status := range []rcommon.Status{rcommon.StatusPendingUpgrade, rcommon.StatusPendingRollback, rcommon.StatusUnknown} {
		t.Run(string(status), func(t *testing.T) {
			r := newRig(t, nil)
			r.must(t)
			r.cutOff(t, status)
			if rel := r.release(t); rel.Revision != 2 || rel.Former != 1 || rel.Pending() != (status != rcommon.StatusUnknown) {
				t.Fatalf("%+v", rel)
			}
			if status.IsPending() { // what Helm itself says to it
				cfg, _ := r.client.open(context.Background(), "gates")
				up := action.NewUpgrade(cfg)
				up.WaitStrategy = kube.HookOnlyStrategy
				if _, err := up.Run("door", r.record(t, "door", 1).Chart, nil); err == nil || !strings.Contains(err.Error(), "in progress") {
					t.Fatalf("Helm goes over it by itself: %v", err)
				}
			}
			r.must(t)
			if rel := r.release(t); rel.Status != "deployed" || rel.Revision != 3 || rel.Former != 1 {
				t.Errorf("%+v", rel)
			}
			if s := r.record(t, "door", 2).Info.Status; s != rcommon.StatusFailed {
				t.Errorf("what was cut off is %s", s)
			}
			if s := r.record(t, "door", 1).Info.Status; s != rcommon.StatusSuperseded {
				t.Errorf("what it went on from is %s", s)
			}
			wants(t, strings.Join(r.said, "\n"), "revision 2 was cut off ("+string(status)+")")
		})
	}
}

// TestCutOffWithNothingDeployed: the record before says superseded already, as it does when a run is killed between the last two writes.
func TestCutOffWithNothingDeployed(t *testing.T) {
	r := newRig(t, nil)
	r.must(t)
	r.cutOff(t, rcommon.StatusPendingUpgrade)
	whole := r.record(t, "door", 1)
	whole.Info.Status = rcommon.StatusSuperseded
	if err := storage.Init(r.records).Update(whole); err != nil {
		t.Fatal(err)
	}
	r.must(t)
	if rel := r.release(t); rel.Status != "deployed" || rel.Revision != 3 || rel.Former != 1 {
		t.Errorf("what was cut off is no release to go back to: %+v", rel)
	}
}

func TestFirstInstallationThatWasCutOff(t *testing.T) {
	r := newRig(t, func(f map[string]string) {
		f["templates/hooks.yaml"] = strings.Replace(f["templates/hooks.yaml"], "pre-install,pre-upgrade", "pre-install", 1)
	})
	r.cutOff(t, rcommon.StatusPendingInstall)
	r.live["configmaps/state"] = []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"state"}}`) // got this far
	r.must(t)
	if rel := r.release(t); rel.Status != "deployed" || rel.Revision != 2 || rel.Former != 0 {
		t.Errorf("%+v", rel)
	}
	if did := r.doings(); !slices.Contains(did, "create Job init") || !slices.Contains(did, "apply ConfigMap state") {
		t.Errorf("the hooks of a first installation run again, and what is there is taken: %q", did)
	}
}

// TestKilledRun ends a run in the middle of an upgrade, and another takes it up.
func TestKilledRun(t *testing.T) {
	r := newRig(t, nil)
	r.must(t)
	ctx, cancel := context.WithCancel(context.Background())
	hold := make(chan struct{})
	r.stop = func() { cancel(); <-hold }
	err := r.deploy(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if _, ok := errors.AsType[lifecycle.Diagnostic](err); ok {
		t.Errorf("an interruption is no finding: %v", err)
	}
	r.stop = nil
	r.must(t)
	if rel := r.release(t); rel.Status != "deployed" || rel.Revision != 3 || rel.Former != 1 {
		t.Errorf("%+v", rel)
	}
}

func TestFailedUpgradeIsRolledBack(t *testing.T) {
	r, ctx := newRig(t, nil), context.Background()
	r.must(t)
	r.fail = []error{apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "door", nil)}
	r.addon.Chart.Values = []byte(`{"replicas":7}`)
	err := r.deploy(ctx)
	wants(t, diagnostic(t, err).Error(), "does not take an object of Helm release door", `Deployment.apps "door" is invalid`)
	rel := r.release(t)
	if rel.Status != "failed" || rel.Revision != 2 || rel.Former != 1 {
		t.Fatalf("%+v", rel)
	}
	r.must(t) // revision 3 is deployed, in Helm's eyes
	var said []string
	if err := r.client.Rollback(ctx, "gates", "door", 1, func(s string) { said = append(said, s) }); err != nil {
		t.Fatal(err)
	}
	rel = r.release(t)
	if rel.Status != "deployed" || rel.Revision != 4 {
		t.Errorf("%+v", rel)
	}
	if s := r.record(t, "door", 3).Info.Status; s != rcommon.StatusFailed {
		t.Errorf("the revision that was left is %s: a later run would go back to it", s)
	}
	wants(t, string(r.live["deployments/door"]), `"replicas":1`)
	wants(t, strings.Join(said, ""), "rolling back release door to revision 1")
	wants(t, diagnostic(t, r.client.Rollback(ctx, "gates", "window", 1, func(string) {})).Error(), "no such release")
}

func TestWebhookThatIsNotUpYet(t *testing.T) {
	calling := apierrors.NewInternalError(
		errors.New(
			`failed calling webhook "rules.gate.example": failed to call webhook: Post "https://gate.gates.svc:443/": dial tcp 10.0.0.1:443: connect: connection refused`,
		),
	)
	for name, installed := range map[string]bool{"install": false, "upgrade": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			if installed {
				r.must(t)
			}
			r.fail = []error{fmt.Errorf("server-side apply failed: %w", calling), calling}
			r.must(t)
			want := map[bool]int{false: 1, true: 2}[installed]
			if rel := r.release(t); rel.Status != "deployed" || rel.Revision != want {
				t.Errorf("tries that were repeated are no revisions: %+v", rel)
			}
			wants(t, strings.Join(r.said, "\n"), "not ready for it yet", "connection refused", "trying again in 2ms")
		})
	}
	r := newRig(t, nil)
	r.addon.Timeout = 30 * time.Millisecond
	r.fail = slices.Repeat([]error{calling}, 1000)
	err := r.deploy(context.Background())
	wants(t, diagnostic(t, err).Error(), "a webhook that judges objects of Helm release door did not answer")
	if !Transient(err) {
		t.Error("the caller can no longer tell what it is")
	}
}

func TestHookThatFails(t *testing.T) {
	r := newRig(t, nil)
	r.hook = errors.New("job init failed: BackoffLimitExceeded")
	wants(t, diagnostic(t, r.deploy(context.Background())).Error(), "a hook of Helm release door failed", "BackoffLimitExceeded")
	r.hook = nil
	r.must(t)
}

func TestWhatDataIsTiedToStays(t *testing.T) {
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n---\napiVersion: v1\nkind: Namespace\n" +
		"metadata: {name: more}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone}\n---\n" + definition("doors.gate.example")
	r := newRig(t, func(f map[string]string) { f["templates/data.yaml"] = claim })
	r.must(t)
	write(t, filepath.Join(r.site.Dir, "gate", "templates", "data.yaml"), "")
	r.must(t)
	deleted := func() (out []string) {
		for _, s := range r.doings() {
			if strings.HasPrefix(s, "delete") && s != "delete Job init" {
				out = append(out, s)
			}
		}
		return out
	}
	if got := deleted(); !slices.Equal(got, []string{"delete ConfigMap gone"}) {
		t.Errorf("the upgrade: %q", got)
	}
	write(t, filepath.Join(r.site.Dir, "gate", "templates", "data.yaml"), claim)
	r.must(t)
	if err := r.client.Uninstall(context.Background(), "gates", "door"); err != nil {
		t.Fatal(err)
	}
	got := deleted()
	if !slices.Contains(got, "delete Deployment door") || slices.ContainsFunc(got, func(s string) bool {
		return strings.Contains(s, "Claim") || strings.Contains(s, "Namespace") || strings.Contains(s, "Definition")
	}) {
		t.Errorf("the uninstallation: %q", got)
	}
	if rel := r.release(t); rel.Revision != 0 {
		t.Errorf("it is still there: %+v", rel)
	}
	if err := r.client.Uninstall(context.Background(), "gates", "door"); err != nil {
		t.Errorf("taking away what is not there: %v", err)
	}
}

func TestDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		statuses []rcommon.Status // the newest first
		want     decision
	}{
		"none":                  {nil, decision{install: true}},
		"deployed":              {[]rcommon.Status{"deployed"}, decision{}},
		"failed upgrade":        {[]rcommon.Status{"failed", "deployed"}, decision{}},
		"failed installation":   {[]rcommon.Status{"failed", "failed"}, decision{install: true}},
		"killed upgrade":        {[]rcommon.Status{"pending-upgrade", "deployed"}, decision{cutOff: true}},
		"killed rollback":       {[]rcommon.Status{"pending-rollback", "failed", "superseded"}, decision{cutOff: true}},
		"killed installation":   {[]rcommon.Status{"pending-install"}, decision{cutOff: true, install: true}},
		"killed uninstallation": {[]rcommon.Status{"uninstalling", "superseded"}, decision{cutOff: true, install: true}},
		"uninstalled":           {[]rcommon.Status{"uninstalled", "superseded"}, decision{install: true}},
		"failed after it":       {[]rcommon.Status{"failed", "uninstalled", "superseded"}, decision{install: true}},
	} {
		t.Run(name, func(t *testing.T) {
			var all []*release.Release
			for _, s := range tc.statuses {
				all = append(all, &release.Release{Info: &release.Info{Status: s}})
			}
			if got := decide(all); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestTransient(t *testing.T) {
	for text, want := range map[string]bool{
		`Internal error occurred: failed calling webhook "x": no endpoints available for service "gate"`:    true,
		`admission webhook "x" denied the request: no`:                                                      false,
		`resource mapping not found for name: "a": no matches for kind "Rule" in version "gate.example/v1"`: true,
		`the server is currently unable to handle the request`:                                              true,
		`Deployment.apps "door" is invalid: spec.selector: Invalid value: field is immutable`:               false,
	} {
		if got := Transient(errors.New(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if Transient(nil) || Transient(context.Canceled) || Transient(fmt.Errorf("failed calling webhook: %w", context.DeadlineExceeded)) {
		t.Error("nothing, and what was given up, is not tried again")
	}
	if !Transient(fmt.Errorf("x: %w", apierrors.NewServiceUnavailable("busy"))) {
		t.Error("a busy server is asked again")
	}
}

// TestNoAPI: without a way to the API every operation ends with the reason as it is, at once, and asks again the next time.
func TestNoAPI(t *testing.T) {
	var asked int
	none := errors.New("no controller runs yet")
	c := Releases(Cluster{Config: func(context.Context) (*rest.Config, error) { asked++; return nil, none }}, testStore(StoreOptions{}))
	dir, a := gateAddon(t, "", nil)
	quiet := func(string) {}
	_, release := c.Release(t.Context(), "gates", "door")
	for name, err := range map[string]error{
		"release":   release,
		"deploy":    c.Deploy(t.Context(), site(dir), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"}, quiet),
		"rollback":  c.Rollback(t.Context(), "gates", "door", 1, quiet),
		"uninstall": c.Uninstall(t.Context(), "gates", "door"),
	} {
		if err != none {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if asked != 4 {
		t.Errorf("the way was asked for %d times in 4 operations", asked)
	}
}

// reached is how a cluster is reached whose configuration is at hand.
func reached(cfg *rest.Config) func(context.Context) (*rest.Config, error) {
	return func(context.Context) (*rest.Config, error) { return cfg, nil }
}

// TestConnect reads records over HTTP, and nothing of the environment that Helm's own command would.
func TestConnect(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nowhere")
	t.Setenv("HELM_DRIVER", "memory")
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked = append(asked, req.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"SecretList","apiVersion":"v1","items":[]}`)
	}))
	defer api.Close()
	c := Releases(Cluster{Config: reached(&rest.Config{Host: api.URL})}, testStore(StoreOptions{}))
	ctx, cancel := context.WithCancel(context.Background())
	if rel, err := c.Release(ctx, "gates", "door"); err != nil || rel.Revision != 0 {
		t.Fatal(rel, err)
	}
	if !slices.Equal(asked, []string{"/api/v1/namespaces/gates/secrets"}) {
		t.Errorf("asked for %q", asked)
	}
	if kube.ManagedFieldsManager != Manager {
		t.Errorf("objects are applied as %q", kube.ManagedFieldsManager)
	}
	cancel()
	if _, err := c.Release(ctx, "gates", "door"); !errors.Is(err, context.Canceled) || len(asked) != 1 {
		t.Errorf("a run that has ended still asks: %v", err)
	}
}

func TestMetalLBRelease(t *testing.T) {
	f, ctx := newFakeCluster(), context.Background()
	c, a := f.client(testStore(StoreOptions{})), metallbAddon(t, `{"frrk8s":{"enabled":false}}`)
	for revision := 1; revision <= 2; revision++ {
		if err := c.Deploy(ctx, site("/"), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"}, func(string) {}); err != nil {
			t.Fatal(err)
		}
		rel, err := c.Release(ctx, "metallb-system", "metallb")
		if err != nil || rel.Revision != revision || rel.Status != "deployed" || rel.Version != "0.16.2" || rel.Former != revision-1 {
			t.Fatalf("%+v %v", rel, err)
		}
	}
	r, err := testStore(StoreOptions{}).Render(ctx, site("/"), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"})
	if err != nil {
		t.Fatal(err)
	}
	rel, _ := c.Release(ctx, "metallb-system", "metallb")
	for _, o := range r.Objects {
		if !slices.ContainsFunc(rel.Objects, o.Same) {
			t.Errorf("%s was shown and is not in the release", o)
		}
	}
	if len(r.Objects) != len(rel.Objects) {
		t.Errorf("%d objects were shown, %d are in the release", len(r.Objects), len(rel.Objects))
	}
}
