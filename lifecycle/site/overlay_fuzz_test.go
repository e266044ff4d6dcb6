package site

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzOverlay feeds whole overlays: a kustomization, a Site and a Cluster document, and one file more that they may name. Whatever they
// say,
// reading them ends soon, panics never, and takes nothing from outside of the fleet: the file there and the variable have a canary in them.
func FuzzOverlay(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo"))
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	read := func(dir, name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b, _ = os.ReadFile(filepath.Join("testdata", "fleet", "overlays", "tokyo", name)) // the case leaves it as it is
		}
		return string(b)
	}
	for _, dir := range seeds {
		f.Add(read(dir, "kustomization.yaml"), read(dir, "site.yaml"), read(dir, "cluster.yaml"), "a: b\n")
	}
	sample := filepath.Join("testdata", "fleet", "overlays", "tokyo")
	for _, c := range []struct{ kustomization, site, more string }{
		{"configMapGenerator: [{name: x, files: [OUTSIDE]}]\n", "", ""}, {"crds: [../../../x]\n", "", ""}, {"transformers: [more.yaml]\n", "",
			"path: OUTSIDE\n"},
		{"replacements: [{path: more.yaml}]\n", "", "- {source: {kind: Site, fieldPath: spec}, targets: [{select: {kind: Site}, fieldPaths: " +
			"[spec.x]}]}\n"},
		{"", "  files: {/etc/x: {on: all, file: OUTSIDE}, /etc/y: {on: all, from: {env: KIBAN_CANARY}}}\n", ""},
		{"", "  files: {/etc/x: {on: all, from: {file: OUTSIDE}}, /etc/y: {on: all, file: /proc/self/environ}}\n", ""},
	} {
		f.Add(c.kustomization+read(sample, "kustomization.yaml"), read(sample, "site.yaml")+c.site, read(sample, "cluster.yaml"), c.more)
	}
	outside := filepath.Join(f.TempDir(), "id")
	if err := os.WriteFile(outside, []byte(canary), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Setenv("KIBAN_CANARY", canary)
	f.Setenv("KIBAN_GITLAB_TOKEN", canary)
	f.Fuzz(func(t *testing.T, kustomization, siteYAML, cluster, more string) {
		fleet := sampleFleet(t, "")
		dir := filepath.Join(fleet, "overlays", "tokyo")
		for name, content := range map[string]string{"kustomization.yaml": kustomization, "site.yaml": siteYAML, "cluster.yaml": cluster,
			"more.yaml": more} {
			write(t, filepath.Join(dir, name), strings.ReplaceAll(content, "OUTSIDE", outside))
		}
		if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s, ds := Load(ctx, fleet, "tokyo", Options{UnknownHosts: true, Unpinned: true})
		if ctx.Err() != nil {
			t.Fatalf("it does not end: %q", kustomization)
		}
		for _, d := range ds {
			if d.Subject == "" || d.Summary == "" || strings.Contains(d.Error(), canary) {
				t.Errorf("a finding without a place or a summary, or with what is not the overlay's: %+v", d)
			}
		}
		for _, h := range s.Cluster.Hosts {
			for _, file := range h.Files {
				if strings.Contains(string(file.Content), canary) && !named(siteYAML+cluster+kustomization+more, canary) {
					t.Errorf("%s has what is not the overlay's", file.Path)
				}
			}
		}
		if text := string(s.Cluster.Document); strings.Contains(text, canary) && !named(siteYAML+cluster+kustomization+more, canary) {
			t.Errorf("the document has what is not the overlay's: %s", text)
		}
	})
}

// named reports whether the overlay says the words itself.
func named(overlay, words string) bool { return strings.Contains(overlay, words) }
