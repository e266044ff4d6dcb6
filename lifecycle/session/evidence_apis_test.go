package session

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestTenantFiles: what is in the repository is found with its line; what is a template, another kind of file or elsewhere says nothing.
func TestTenantFiles(t *testing.T) {
	fleet := t.TempDir()
	for path, text := range map[string]string{
		"apps/web/pdb.yaml": "# comment\napiVersion: v1\nkind: List\nitems:\n- apiVersion: policy/v1beta1\n  kind: PodDisruptionBudget\n" +
			"  metadata: {name: web}\n",
		"apps/web/deploy.yaml":   "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
		"apps/web/template.yaml": "apiVersion: {{ .Version }}\nkind: {{ x\n",
		"apps/web/notes.txt":     "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n",
		"other/pdb.yaml":         "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: other}\n",
	} {
		file := filepath.Join(fleet, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	app := lifecycle.TenantApplications{Path: "apps/*", Namespace: "shop-prod"}
	tenant := lifecycle.Tenant{Name: "shop", Applications: []lifecycle.TenantApplications{app}}
	w := &world{fleet: fleet, site: lifecycle.Site{Tenants: []lifecycle.Tenant{tenant}}}
	got := w.tenantFiles()
	want := lifecycle.DeclaredAPI{ObjectRef: lifecycle.ObjectRef{APIVersion: "policy/v1beta1", Kind: "PodDisruptionBudget",
		Namespace: "shop-prod", Name: "web"}, Source: "apps/web/pdb.yaml:5"}
	if len(got) != 1 || got[0].Name != "tenant/shop" || len(got[0].Value) != 1 || got[0].Value[0] != want {
		t.Errorf("%+v", got)
	}
	w.site.Tenants[0].Applications[0].Path = "../*"
	if got := w.tenantFiles(); len(got) != 0 {
		t.Errorf("outside of the repository: %+v", got)
	}
}

// TestRestarts: what is kept before a restart is of controllers that run.
func TestRestarts(t *testing.T) {
	site := lifecycle.Site{Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController},
		{Name: "w1", Role: lifecycle.RoleWorker}}}}
	for _, c := range []struct {
		target string
		action lifecycle.Action
		want   bool
	}{
		{"c1", lifecycle.ActionUpgrade, true}, {"c1", lifecycle.ActionConfigure, true}, {"c1", lifecycle.ActionRestart, true},
		{"c1", lifecycle.ActionReboot, true}, {"c1", lifecycle.ActionRun, true}, {"c1", lifecycle.ActionAwait, true},
		{"c1", lifecycle.ActionLeaveEtcd, true}, {"c1", lifecycle.ActionReset, true}, {"w1", lifecycle.ActionRun, false},
		{"c1", lifecycle.ActionFiles, true}, {"w1", lifecycle.ActionUpgrade, false},
		{"c1", lifecycle.ActionJoinController, false}, {"c1", lifecycle.ActionBackup, false}, {"gone", lifecycle.ActionUpgrade, false},
	} {
		if got := restarts(site, lifecycle.Step{Target: c.target, Action: c.action}); got != c.want {
			t.Errorf("%s of %s: %v", c.action, c.target, got)
		}
	}
}
