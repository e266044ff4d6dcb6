package tenant

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

var update = flag.Bool("update", false, "write the golden files anew")

func productA() lifecycle.Tenant {
	return lifecycle.Tenant{
		Name: "product-a",
		Groups: lifecycle.TenantGroups{Admin: []string{"oidc:product-a-leads"}, Edit: []string{"oidc:product-a", "oidc:contractors"},
			View: []string{"support"}},
		Namespaces: []lifecycle.TenantNamespace{
			{Name: "product-a"},
			{Name: "product-a-batch", Quota: map[string]string{"requests.cpu": "64", "count/jobs.batch": "200"}},
		},
		Quota: map[string]string{"requests.cpu": "20", "requests.memory": "40Gi", "services.loadbalancers": "2"},
		Limits: lifecycle.TenantLimits{Default: map[string]string{"memory": "512Mi"},
			DefaultRequest: map[string]string{"cpu": "0.1", "memory": "256Mi"}},
		PodSecurity:  "baseline",
		Network:      lifecycle.TenantNetwork{Policy: "isolated", From: []string{"monitoring", "ingress-nginx"}},
		Repositories: []string{"https://gitlab.example/product-a/*"},
		Applications: []lifecycle.TenantApplications{
			{Repository: "https://gitlab.example/product-a/deploy.git", Revision: "main", Path: "apps/*", Namespace: "product-a"},
			{Repository: "https://gitlab.example/product-a/deploy.git", Revision: "main", Path: "jobs/*", Namespace: "product-a-batch"},
		},
		Source: "clusters/tenants/product-a.yaml:3",
	}
}

func TestObjects(t *testing.T) {
	for name, objects := range map[string][]lifecycle.Object{
		"full":    Objects(productA(), true),
		"minimal": Objects(lifecycle.Tenant{Name: "product-b"}, false),
	} {
		var got bytes.Buffer
		for _, o := range objects {
			got.WriteString("# " + o.String() + "\n")
			if err := json.Indent(&got, o.JSON, "", "  "); err != nil {
				t.Fatalf("%s: %v", o, err)
			}
			got.WriteString("\n")
		}
		file := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || got.String() != string(want) {
			t.Errorf("%s differs (%v); run `go test ./lifecycle/tenant -update` and look at the difference.\n%s", file, err, got.String())
		}
	}
}

// TestEveryObjectSaysWhatItIs holds that the name beside an object is the one within it, that it says whose it is, and that the bytes are
// canonical.
func TestEveryObjectSaysWhatItIs(t *testing.T) {
	first, again := Objects(productA(), true), Objects(productA(), true)
	var seen []lifecycle.ObjectRef
	for i, o := range first {
		if !bytes.Equal(o.JSON, again[i].JSON) {
			t.Errorf("%s is made otherwise the second time", o)
		}
		var in struct {
			APIVersion, Kind string
			Metadata         struct {
				Name, Namespace string
				Labels          map[string]string
			}
		}
		if err := json.Unmarshal(o.JSON, &in); err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		inner := lifecycle.ObjectRef{APIVersion: in.APIVersion, Kind: in.Kind, Namespace: in.Metadata.Namespace, Name: in.Metadata.Name}
		if inner != o.ObjectRef || in.Metadata.Labels[lifecycle.LabelTenant] != "product-a" || o.Source != productA().Source {
			t.Errorf("%s holds %s of %q, from %s", o, inner, in.Metadata.Labels[lifecycle.LabelTenant], o.Source)
		}
		if slices.ContainsFunc(seen, o.Same) {
			t.Errorf("%s is there twice", o)
		}
		seen = append(seen, o.ObjectRef)
	}
	reordered := productA()
	slices.Reverse(reordered.Groups.Edit)
	slices.Reverse(reordered.Network.From)
	for i, o := range Objects(reordered, true) {
		if !bytes.Equal(o.JSON, first[i].JSON) {
			t.Errorf("%s depends on the order of a list that has none", o)
		}
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	has := func(t lifecycle.Tenant, argo bool, kind string) int {
		n := 0
		for _, o := range Objects(t, argo) {
			if o.Kind == kind {
				n++
			}
		}
		return n
	}
	open, noGroups, noQuota := productA(), productA(), productA()
	open.Network.Policy = "open"
	noGroups.Groups = lifecycle.TenantGroups{View: []string{"support"}}
	noQuota.Quota, noQuota.Limits = nil, lifecycle.TenantLimits{}
	for _, tt := range []struct {
		name   string
		tenant lifecycle.Tenant
		argo   bool
		kind   string
		want   int
	}{
		{"no Argo CD on the site", productA(), false, "AppProject", 0},
		{"no Argo CD on the site", productA(), false, "ApplicationSet", 0},
		{"a set for each entry", productA(), true, "ApplicationSet", 2},
		{"an open network has no policies", open, false, "NetworkPolicy", 0},
		{"an isolated one has three in each namespace", productA(), false, "NetworkPolicy", 6},
		{"a role that no group has is not bound", noGroups, false, "RoleBinding", 2},
		{"only the namespace with a quota of its own has one", noQuota, false, "ResourceQuota", 1},
		{"limits that say nothing are none", noQuota, false, "LimitRange", 0},
	} {
		if got := has(tt.tenant, tt.argo, tt.kind); got != tt.want {
			t.Errorf("%s: %d of %s, want %d", tt.name, got, tt.kind, tt.want)
		}
	}
}

func TestPodSecurity(t *testing.T) {
	for level, want := range map[string][2]string{"": {"baseline", "restricted"}, "baseline": {"baseline", "restricted"},
		"restricted": {"restricted", "restricted"}, "privileged": {"privileged", "privileged"}} {
		got := podSecurity(level)
		if got["pod-security.kubernetes.io/enforce"] != want[0] || got["pod-security.kubernetes.io/warn"] != want[1] ||
			got["pod-security.kubernetes.io/audit"] != want[1] {
			t.Errorf("%q: got %v, want %v", level, got, want)
		}
	}
}

func TestApplicationSetNames(t *testing.T) {
	deploy := lifecycle.TenantApplications{Repository: "https://gitlab.example/a/deploy.git", Path: "apps/*"}
	other := lifecycle.TenantApplications{Repository: "git@gitlab.example:b/Deploy", Path: "apps"}
	elsewhere := lifecycle.TenantApplications{Repository: "https://gitlab.example/a/Charts_2.git", Path: "*"}
	if got := applicationSetNames("a", []lifecycle.TenantApplications{deploy, elsewhere}); !slices.Equal(got,
		[]string{"a-deploy-apps", "a-charts-2"}) {
		t.Errorf("got %v", got)
	}
	got, reversed := applicationSetNames("a", []lifecycle.TenantApplications{deploy, other}),
		applicationSetNames("a", []lifecycle.TenantApplications{other, deploy})
	slices.Reverse(reversed)
	if got[0] == got[1] || !strings.HasPrefix(got[0], "a-deploy-apps-") || !slices.Equal(got, reversed) {
		t.Errorf("got %v and %v: want two names, the same whatever the order", got, reversed)
	}
}

func TestArgoGroups(t *testing.T) {
	if got, want := argoGroups([]string{"oidc:a", "b", "c:"}), []string{"a", "b", "c:", "oidc:a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
