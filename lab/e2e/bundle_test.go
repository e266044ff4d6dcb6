package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundle sets a site up from bare machines where there is neither a release mirror nor a chart repository: binaries and charts come
// from a bundle, and are held against the lock file. Then it tampers with what was cached.
func TestBundle(t *testing.T) {
	t.Parallel()
	platformSecrets(t)
	b := start(t, "127.247.0", 1, 1)
	charts := b.serveCharts()
	p := newPlatform(charts.url)
	p.argocd, p.storage, p.tenants = false, false, []string{"product-a"}
	b.with(p)
	b.must(0, b.kiban("pin", "lab"))
	b.must(0, b.kiban("pin", "lab", "--check"))
	bundle := filepath.Join(b.dir, "site.bundle")
	b.must(0, b.kiban("bundle", "lab", "-o", bundle))

	charts.stop()
	mirror, away := filepath.Join(b.dir, ".lab", "mirror"), filepath.Join(b.dir, ".lab", "away")
	if err := os.Rename(mirror, away); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(b.dir, ".kiban")); err != nil {
		t.Fatal(err)
	}
	m := b.mark()
	b.says(b.must(1, b.kiban("apply", "lab", "--yes")), "chart")
	b.untouched(m, "an apply without network")
	b.must(0, b.kiban("apply", "lab", "--yes", "--bundle", bundle))
	b.says(b.must(0, b.kiban("plan", "lab", "--bundle", bundle)), "No changes")

	t.Run("an unpacked bundle that was tampered with is unpacked anew", func(t *testing.T) {
		b := b.of(t)
		spoilBelow(t, filepath.Join(b.dir, ".kiban", "cache", "bundles"), ".tgz")
		b.says(b.must(0, b.kiban("plan", "lab", "--bundle", bundle)), "No changes")
	})
	t.Run("a bundle that was tampered with is refused", func(t *testing.T) {
		b := b.of(t)
		content, err := os.ReadFile(bundle)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		other := filepath.Join(b.dir, "other.bundle")
		b.file(other, string(content))
		if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "cache")); err != nil {
			t.Fatal(err)
		}
		m := b.mark()
		b.says(b.must(1, b.kiban("apply", "lab", "--yes", "--bundle", other)), "the bundle cannot be used")
		b.untouched(m, "a bundle that is refused")
	})
	t.Run("a cached chart that was tampered with is refused", func(t *testing.T) {
		b := b.of(t)
		p := newPlatform(b.serveCharts("--dir", "again").url)
		p.argocd, p.storage, p.tenants = false, false, []string{"product-a"}
		b.with(p)
		if err := os.Rename(away, mirror); err != nil {
			t.Fatal(err)
		}
		b.must(0, b.kiban("pin", "lab"))
		b.must(0, b.kiban("validate", "lab"))
		spoilBelow(t, filepath.Join(b.dir, ".kiban", "cache", "charts"), ".tgz")
		b.says(b.must(1, b.kiban("validate", "lab")), "a cached file is not what it was")
		m := b.mark()
		b.says(b.must(1, b.kiban("apply", "lab", "--yes")), "a cached file is not what it was")
		b.untouched(m, "an apply with a cached chart that someone changed")
	})
}

// spoilBelow changes every file of that ending.
func spoilBelow(t *testing.T, dir, ending string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ending) {
			return err
		}
		n++
		return os.WriteFile(path, []byte("not what it was"), 0o644)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files were changed: %v", n, err)
	}
}
