package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A site that may have a cluster keeps its name until the Site says which one is its own: under another name, nothing would tell of a
// control plane that is lost later.
func TestSiteRenameLosesNoCluster(t *testing.T) {
	none := lifecycle.State{API: lifecycle.APIState{NotYet: true}, Hosts: []lifecycle.HostState{{Name: "controller-1"}, {Name: "worker-1"}}}
	deaf := none
	deaf.Hosts = []lifecycle.HostState{{Name: "controller-1", Problem: lifecycle.HostUnreachable}, {Name: "worker-1"}}
	for _, tt := range []struct {
		name   string
		state  lifecycle.State
		backup bool
		says   string // "" for one that is renamed
	}{
		{"there is no cluster", none, false, ""},
		{"a controller can't be asked", deaf, false, "kubectl get namespace kube-system"},
		{"it was lost", none, true, "kubectl get namespace kube-system"},
		{"it lives", lifecycle.State{API: lifecycle.APIState{ClusterUID: "6f4ac2f4"}}, false, "spec.api.clusterUID: 6f4ac2f4"},
		{"the API does not answer", lifecycle.State{API: lifecycle.APIState{Unknown: "timeout"}}, false, "kubectl get namespace kube-system"},
	} {
		fleet := t.TempDir()
		put := func(path, text string) {
			path = filepath.Join(fleet, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put("overlays/lab/site.yaml", "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: lab}\n")
		if tt.backup {
			put(".kiban/backups/lab/lab-v1.36.3+k0s.2-20261121T020000Z.tar.gz", "")
		}
		f := &fakeSite{state: tt.state}
		r := f.kiban(t, fleet, nil, "site", "rename", "lab", "osaka")
		_, err := os.Stat(filepath.Join(fleet, "overlays", "osaka", "site.yaml"))
		said := strings.Join(strings.Fields(r.err), " ")
		if (err == nil) != (tt.says == "") || (r.code == exitDone) != (tt.says == "") || !strings.Contains(said, tt.says) {
			t.Errorf("%s: exit %d, renamed: %v\n%s%s", tt.name, r.code, err == nil, r.out, r.err)
		}
		if tt.says == "" && !strings.Contains(said, "kiban backup osaka") {
			t.Errorf("%s: it does not say what becomes of backups:\n%s", tt.name, r.err)
		}
	}
}
