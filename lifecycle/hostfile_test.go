package lifecycle

import "testing"

func TestFileChanges(t *testing.T) {
	const path = "/etc/k0s/a.yaml"
	there := FileState{Path: path, Digest: "sha256:1", Mode: "0644", Owner: "root", Group: "root"}
	cases := map[string]struct {
		want     HostFile
		have     []FileState
		change   string
		restarts bool
		unknown  bool
	}{
		"as declared": {want: HostFile{Path: path, Digest: "sha256:1", Mode: "644", Owner: "root", Restart: true},
			have: []FileState{there}},
		"not there": {want: HostFile{Path: path, Digest: "sha256:1", Mode: "0644", Restart: true}, change: "+ " + path,
			restarts: true},
		"not there, for no reader": {want: HostFile{Path: path, Digest: "sha256:1"}, change: "+ " + path},
		"another content": {want: HostFile{Path: path, Digest: "sha256:2", Restart: true}, have: []FileState{there},
			change: "~ " + path + " (content)", restarts: true},
		"another mode": {want: HostFile{Path: path, Digest: "sha256:1", Mode: "0640", Restart: true}, have: []FileState{there},
			change: "~ " + path + " (mode 0644 -> 0640)"},
		"all at once": {want: HostFile{Path: path, Digest: "sha256:2", Mode: "0600", Owner: "kube-apiserver", Group: "adm"},
			have:   []FileState{there},
			change: "~ " + path + " (content, mode 0644 -> 0600, owner root -> kube-apiserver, group root -> adm)"},
		"unknown and there": {want: HostFile{Path: path, Missing: "KEYS is not set", Mode: "0644"}, have: []FileState{there}},
		"unknown and there in another mode": {want: HostFile{Path: path, Missing: "KEYS is not set", Mode: "0600", Restart: true},
			have: []FileState{there}, change: "~ " + path + " (mode 0644 -> 0600)"},
		"unknown and not there": {want: HostFile{Path: path, Missing: "KEYS is not set", Mode: "0600"}, unknown: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h, have := Host{Files: []HostFile{c.want}}, HostState{Files: c.have}
			got := h.FileChanges(have)
			if len(got) > 1 || (len(got) == 1) != (c.change != "") {
				t.Fatalf("changes are %v, want %q", got, c.change)
			}
			if len(got) == 1 && (got[0].String() != c.change || got[0].Restarts() != c.restarts) {
				t.Errorf("change is %q, restart %t; want %q, %t", got[0], got[0].Restarts(), c.change, c.restarts)
			}
			if unknown := h.UnknownFiles(have); (len(unknown) == 1) != c.unknown {
				t.Errorf("unknown are %v", unknown)
			}
		})
	}
}

func TestWhatK0sReadsWhenItStarts(t *testing.T) {
	for _, c := range []struct {
		file, dataDir string
		want          bool
	}{
		{"/etc/k0s/containerd.d/a.toml", "", true},
		{"/etc/motd", "", false},
		{"/var/lib/k0s/bin/x", "", true},
		{"/var/lib/k0s/images/bundle.tar", "", false},
		{"/var/lib/k0s/manifests/a/b.yaml", "", false},
		{"/data/k0s/images/bundle.tar", "/data/k0s", false},
		{"/data/k0s/manifests/a/b.yaml", "/data/k0s/", false},
		{"/data/k0s/admission.yaml", "/data/k0s/", true},
		{"/var/lib/k0s/admission.yaml", "/data/k0s", false},
		{"/data/k0smore/x", "/data/k0s", false},
	} {
		if got := ReadAtStart(c.file, c.dataDir); got != c.want {
			t.Errorf("%s with data in %q: %v", c.file, c.dataDir, got)
		}
	}
}
