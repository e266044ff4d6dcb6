package k0s

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lab/machine/disk"
)

// TestContainerdTakesItsOwnForm: k0s 1.36 and later refuse to start with a drop-in of `version = 2`; containerd 1.7 ends with one of
// `version = 3`; a file that says neither is taken by both.
func TestContainerdTakesItsOwnForm(t *testing.T) {
	const old, later = "v1.35.7+k0s.0", "v1.36.3+k0s.2"
	for name, tt := range map[string]struct {
		file, text     string
		byOld, byLater string // what each says; "" where it starts
	}{
		"version 2":          {"containerd.d/a.toml", "# version = 3\nversion = 2\n[x]\nversion = 3\n", "", "expected 3, got 2"},
		"version 3":          {"containerd.d/a.toml", "version = 3\n", "unsupported config version `3`", ""},
		"neither":            {"containerd.d/a.toml", "[debug]\nlevel = 'info'\n", "", ""},
		"a former section":   {"containerd.d/a.toml", "[plugins.\"io.containerd.grpc.v1.cri\"]\n", "", "unsupported plugin"},
		"half a table":       {"containerd.d/a.toml", "version = 2\n[plugins\n", "unclosed", "expected 3"},
		"not a drop-in":      {"containerd.d/a.toml.new", "version = 2\n", "", ""},
		"a folder below":     {"containerd.d/certs.d/a.toml", "version = 2\n", "", ""},
		"k0s's own":          {"containerd.toml", "# k0s_managed=true\nversion = 3\n", "", ""},
		"an administrator's": {"containerd.toml", "version = 2\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := disk.New(disk.Options{Root: t.TempDir()})
			root := d.As(disk.Root(), nil)
			path := "/etc/k0s/" + tt.file
			if err := root.MkdirAll(path[:strings.LastIndex(path, "/")], 0o755); err != nil {
				t.Fatal(err)
			}
			if err := root.WriteFile(path, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			k := New(Options{Disk: d, Root: root, Timing: Timing{Crash: 1}})
			for version, want := range map[string]string{old: tt.byOld, later: tt.byLater} {
				err := k.containerd(version).start(t.Context())
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, want %q", version, err, want)
				}
			}
		})
	}
}
