package site

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// FuzzDecode feeds the decoder of Site documents. It may refuse, but must not panic, and what it accepts must be usable.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo", "site.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("spec: &a\n  ssh: *a\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, err := parseYAML(b)
		if err != nil {
			return
		}
		for _, doc := range docs {
			d, found := decodeSite(doc)
			found = append(found, checkSite(d, "tokyo")...)
			cluster, more := readCluster(doc)
			found = append(found, more...)
			found = append(found, checkCluster(cluster, doc, d)...)
			sources{newPiece("f", 0, doc, false)}.find(sitePlace("spec", "upgrade", "windows", "[0]", "days"))
			duplicateKeys(doc, func(*yaml.Node, int) {})
			if len(found) == 0 && (time.Duration(d.Spec.SSH.ConnectTimeout) <= 0 || d.Metadata.Name != "tokyo" || d.Spec.Upgrade.Drain.EvictionRetry <= 0) {
				t.Errorf("accepted %q as %+v", b, d)
			}
		}
	})
}

// FuzzUnits feeds the decoders of Addon and Tenant documents, and the rules about what stands beside the cluster.
func FuzzUnits(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo", "extra.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(sampleUnits))
	f.Add([]byte("kind: Addon\nspec: {chart: {values: &a {b: *a}}, secrets: [{keys: {a: ~}}]}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, err := parseYAML(b)
		if err != nil {
			return
		}
		dir := t.TempDir()
		site := lifecycle.Site{Name: "tokyo", Dir: dir}
		l := loading{tree: &tree{fleet: dir, overlay: dir}, site: &site}
		for _, doc := range docs {
			p := newPiece("f", 0, doc, false)
			l.tree.sources = append(l.tree.sources, p)
			switch p.kind {
			case kindAddon:
				l.docs.addons = append(l.docs.addons, doc)
			case kindTenant:
				l.docs.tenants = append(l.docs.tenants, doc)
			default:
				l.docs.objects = append(l.docs.objects, object{l.tree.document(p, b), doc})
			}
		}
		l.readUnits()
		l.checkAll()
		for _, d := range l.tree.locate(l.findings) {
			if d.Subject == "" || d.Summary == "" {
				t.Errorf("a finding without a place or a summary: %+v", d)
			}
		}
		for _, a := range site.Addons {
			if a.Chart != nil && !json.Valid(a.Chart.Values) {
				t.Errorf("values of %q are no JSON: %s", b, a.Chart.Values)
			}
		}
		CheckFleet([]lifecycle.Site{site, {Name: "other", Objects: site.Objects}})
	})
}

// FuzzTree feeds the reader of kustomization trees: any bytes may stand in a repository.
func FuzzTree(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo", "kustomization.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte("apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec: {hosts: [{hostname: a}]}"))
	}
	f.Add([]byte("resources: [cluster.yaml]\npatches: [{patch: 'a: &x [*x]'}]"), []byte("kind: Cluster\nspec: &s {hosts: [*s, {<<: *s}]}"))
	f.Fuzz(func(t *testing.T, kustomization, cluster []byte) {
		fleet := t.TempDir()
		write(t, filepath.Join(fleet, "overlays", "tokyo", "kustomization.yaml"), string(kustomization))
		write(t, filepath.Join(fleet, "overlays", "tokyo", "cluster.yaml"), string(cluster))
		for _, d := range readTree(filepath.Join(fleet, "overlays", "tokyo")).diagnostics() {
			if d.Subject == "" || d.Summary == "" {
				t.Errorf("a finding without a place or a summary: %+v", d)
			}
		}
	})
}
