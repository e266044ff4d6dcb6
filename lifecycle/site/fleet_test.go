package site

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// repository is this repository as a fleet, with the lab's known_hosts, which only a running lab writes.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"clusters", overlaysDir} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	var known strings.Builder
	for _, n := range []string{"11", "12", "13", "101", "102", "103", "104"} {
		known.WriteString("[127.88.0." + n + "]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n")
	}
	write(t, filepath.Join(dir, ".lab", "ssh", "known_hosts"), known.String())
	return dir
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOwnFleet(t *testing.T) {
	fleet := repository(t)
	names, err := List(fleet)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"aws-tokyo", "lab", "osaka-prod", "tokyo-prod", "tokyo-staging"}; !slices.Equal(names, want) {
		t.Fatalf("sites are %v, want %v", names, want)
	}
	var sites []lifecycle.Site
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			s, ds := Load(t.Context(), fleet, name, Options{})
			// The example's sites are not locked: nobody has fetched their charts.
			ds = slices.DeleteFunc(ds, func(d lifecycle.Diagnostic) bool { return d.Summary == "the site has no "+lifecycle.PinsFile })
			// VRRP has a password in the clear, which keeps clusters apart and opens nothing.
			ds = slices.DeleteFunc(ds, func(d lifecycle.Diagnostic) bool { return strings.HasSuffix(d.Summary, "authPass is a credential") })
			if len(ds) > 0 {
				t.Fatalf("findings:\n%v", ds)
			}
			sites = append(sites, s)
			if s.Provider == lifecycle.ProviderExternal {
				if s.API.Kubeconfig == (lifecycle.SecretSource{}) || len(s.Cluster.Hosts) > 0 {
					t.Errorf("an external site: %+v", s)
				}
			} else if len(s.Cluster.Controllers()) != 3 || s.Cluster.Version.IsZero() || s.Cluster.Hosts[0].Source == "" {
				t.Errorf("incomplete: %+v", s)
			}
			if s.Cluster.Name != name || s.Digest == "" {
				t.Errorf("incomplete: %+v", s)
			}

			// what a person sees who runs kustomize, in a process that knows nothing of our schema
			rendered, ds := Render(t.Context(), fleet, name)
			if ds.Err() != nil {
				t.Fatal(ds)
			}
			dir := filepath.Join(fleet, overlaysDir, name)
			if cli := fresh(t, "build:cli:"+dir); !bytes.Equal(cli, rendered) {
				t.Errorf("the stock CLI prints\n%s\nRender\n%s", cli, rendered)
			}
			stock, ours := splitDocuments(fresh(t, "build:"+dir)), splitDocuments(rendered)
			if !slices.Equal(stock, ours) {
				t.Errorf("the stock library prints\n%s\nRender\n%s", stock, ours)
			}
		})
	}
	if ds := CheckFleet(sites); len(ds) > 0 {
		t.Errorf("the fleet as a whole:\n%v", ds)
	}
}

// splitDocuments are the documents of a build, sorted: the library's default order is another than the CLI's.
func splitDocuments(b []byte) []string {
	docs := strings.Split(strings.TrimSpace(string(b)), "\n---\n")
	slices.Sort(docs)
	return docs
}
