package site

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
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
		docs, err := overlay.ParseYAML(b)
		if err != nil {
			return
		}
		for _, doc := range docs {
			d, found := decodeSite(doc)
			found = append(found, checkSite(d, "tokyo")...)
			cluster, more := readCluster(doc)
			found = append(found, more...)
			found = append(found, checkCluster(cluster, doc, d)...)
			found = append(found, checkAddresses(cluster, d, false)...)
			if len(found) == 0 && (time.Duration(d.Spec.SSH.ConnectTimeout) <= 0 || d.Metadata.Name != "tokyo" ||
				d.Spec.Upgrade.Drain.EvictionRetry <= 0) {
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
		docs, err := overlay.ParseYAML(b)
		if err != nil {
			return
		}
		fleet := t.TempDir()
		dir := filepath.Join(fleet, "overlays", "tokyo")
		write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [extra.yaml]\n")
		write(t, filepath.Join(dir, "extra.yaml"), string(b))
		site := lifecycle.Site{Name: "tokyo", Dir: dir}
		l := loader{tree: overlay.Read(dir), site: &site}
		for _, doc := range docs {
			switch overlay.Identify(doc).Kind {
			case overlay.KindAddon:
				l.docs.addons = append(l.docs.addons, doc)
			case overlay.KindTenant:
				l.docs.tenants = append(l.docs.tenants, doc)
			default:
				l.docs.objects = append(l.docs.objects, object{document(l.tree, doc, b), doc})
			}
		}
		l.readUnits()
		l.checkAll()
		for _, d := range locate(l.tree, l.findings) {
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
