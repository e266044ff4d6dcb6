package k0s

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// release makes a mirror of one version for two architectures, and the site that gets k0s from it.
func release(t *testing.T) (site lifecycle.Site, v lifecycle.Version, sums map[string]string) {
	t.Helper()
	dir := t.TempDir()
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	sums = map[string]string{}
	list := ""
	for _, arch := range []string{"amd64", "arm64"} {
		content := []byte("k0s for " + arch)
		sum := sha256.Sum256(content)
		sums[arch] = hex.EncodeToString(sum[:])
		name := fmt.Sprintf("k0s-%s-%s", v, arch)
		list += sums[arch] + "  " + name + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list += strings.Repeat("0", 64) + " *k0s-" + v.String() + "-amd64.exe\n"
	if err := os.WriteFile(filepath.Join(dir, "sha256sums.txt"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	site = lifecycle.Site{Name: "tokyo", Dir: dir, Binary: lifecycle.Binaries{URL: "k0s-{version}-{arch}", Checksums: "sha256sums.txt"}}
	return site, v, sums
}

func TestChecksums(t *testing.T) {
	site, v, sums := release(t)
	got, err := Releases{}.Checksums(t.Context(), site, v)
	if err != nil || len(got) != 2 || got["amd64"] != "sha256:"+sums["amd64"] || got["arm64"] != "sha256:"+sums["arm64"] {
		t.Errorf("checksums %v, %v", got, err)
	}
	site.Binary.SHA256 = map[string]string{v.String() + "/amd64": strings.Repeat("A", 64)}
	if got, err := (Releases{}).Checksums(t.Context(), site, v); err != nil || got["amd64"] != "sha256:"+strings.Repeat("a", 64) {
		t.Errorf("what the Site pins does not win: %v, %v", got, err)
	}
	site.Binary.SHA256, site.Binary.Checksums = nil, "gone.txt"
	if _, err := (Releases{}).Checksums(t.Context(), site, v); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a sums file: %v", err)
	}
}

func TestLockedChecksums(t *testing.T) {
	quiet := func(string) {}
	for name, c := range map[string]struct {
		change func(site *lifecycle.Site, id string, sum string)
		says   string
	}{
		"locked as published": {func(s *lifecycle.Site, id, sum string) {
			s.Pins = &lifecycle.Pins{K0s: map[string]string{id: "sha256:" + sum}}
		}, ""},
		"a lock of charts alone": {func(s *lifecycle.Site, _, _ string) { s.Pins = &lifecycle.Pins{} }, ""},
		"locked as something else": {func(s *lifecycle.Site, id, _ string) {
			s.Pins = &lifecycle.Pins{K0s: map[string]string{id: "sha256:" + strings.Repeat("0", 64)}}
		}, "is wrong"},
		"another version locked": {func(s *lifecycle.Site, _, sum string) {
			s.Pins = &lifecycle.Pins{K0s: map[string]string{"v1.35.7+k0s.0/amd64": "sha256:" + sum}}
		}, "no checksum of k0s"},
		"Site and lock differ": {func(s *lifecycle.Site, id, sum string) {
			s.Pins = &lifecycle.Pins{K0s: map[string]string{id: "sha256:" + sum}}
			s.Binary.SHA256 = map[string]string{id: strings.Repeat("0", 64)}
		}, "two checksums"},
	} {
		site, v, sums := release(t)
		c.change(&site, v.String()+"/amd64", sums["amd64"])
		_, digest, err := Releases{}.Fetch(t.Context(), site, v, "amd64", t.TempDir(), quiet)
		if c.says == "" && (err != nil || digest != "sha256:"+sums["amd64"]) {
			t.Errorf("%s: %v, %v", name, digest, err)
		}
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// TestOffline: a bundle's folder is enough, and nothing else is asked.
func TestOffline(t *testing.T) {
	site, v, sums := release(t)
	site.Pins = &lifecycle.Pins{K0s: map[string]string{v.String() + "/amd64": "sha256:" + sums["amd64"]}}
	dir, quiet := t.TempDir(), func(string) {}
	if _, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet); !errors.Is(err, lifecycle.ErrNotCached) {
		t.Errorf("a binary that is not there: %v", err)
	}
	if _, _, err := (Releases{}).Fetch(t.Context(), site, v, "amd64", dir, quiet); err != nil {
		t.Fatal(err)
	}
	site.Binary = lifecycle.Binaries{URL: "http://127.0.0.1:1/k0s", Checksums: "http://127.0.0.1:1/sums"}
	b, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet)
	if err != nil || b.sha256 != sums["amd64"] {
		t.Fatalf("a binary that is there: %v, %v", b, err)
	}
	for path, mode := range map[string]os.FileMode{b.path: 0o700, filepath.Dir(b.path): 0o700} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s is open to others: %v, %v", path, st, err)
		}
	}
	if err := os.WriteFile(b.path, []byte("other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet); !errors.Is(err, lifecycle.ErrNotCached) {
		t.Errorf("a binary that was changed: %v", err)
	}
}
