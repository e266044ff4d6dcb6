package lifecycle

import "testing"

// TestFilesForVersions: a file is for whole minor releases, or from an exact version on, and what stands in one of containerd's says which.
func TestFilesForVersions(t *testing.T) {
	v := func(s string) Version {
		p, err := ParseVersion(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	minor := Version{Major: 1, Minor: 36}
	for name, c := range map[string]struct {
		file    HostFile
		version Version
		fits    bool
	}{
		"of any version":                    {HostFile{}, v("v1.35.7+k0s.0"), true},
		"no version known":                  {HostFile{Since: minor}, Version{}, true},
		"before the minor":                  {HostFile{Since: minor}, v("v1.35.7+k0s.0"), false},
		"a prerelease of the minor":         {HostFile{Since: minor}, v("v1.36.0-rc.1+k0s.0"), true},
		"in the minor":                      {HostFile{Since: minor}, v("v1.36.0+k0s.0"), true},
		"before an exact version":           {HostFile{Since: v("v1.36.3+k0s.2")}, v("v1.36.3+k0s.1"), false},
		"at it":                             {HostFile{Since: v("v1.36.3+k0s.2")}, v("v1.36.3+k0s.2"), true},
		"until a minor, before":             {HostFile{Until: minor}, v("v1.35.7+k0s.0"), true},
		"until a minor, its prerelease":     {HostFile{Until: minor}, v("v1.36.0-alpha.1+k0s.0"), false},
		"between the two ends, which is on": {HostFile{Since: Version{Major: 1, Minor: 35}, Until: minor}, v("v1.35.0+k0s.0"), true},
	} {
		if got := c.file.Fits(c.version); got != c.fits {
			t.Errorf("%s: %t", name, got)
		}
		if left := len((Host{Files: []HostFile{c.file}}).At(c.version).Files) == 1; left != c.fits {
			t.Errorf("%s: declared there: %t", name, left)
		}
	}
	const dropIn = "/etc/k0s/containerd.d/a.toml"
	for text, c := range map[string]struct {
		form         int
		old35, new36 bool
	}{
		"version = 2\n":                     {2, true, false},
		"  version=1":                       {1, true, false},
		"# version = 2\nversion = 3 # so\n": {3, false, true},
		"[a]\nversion = 2\n":                {0, true, true},
		"a = 1\n[plugins.'io.containerd.grpc.v1.cri']\nversion = 3\n": {2, true, false},
		"[plugins.\"io.containerd.cri.v1.images\".registry]\n":        {3, false, true},
		"# io.containerd.grpc.v1.cri\n":                               {0, true, true},
		"":                                                            {0, true, true},
	} {
		form := ContainerdForm([]byte(text))
		d := DropIn{Path: dropIn, Form: form}
		if form != c.form || d.Takes(v("v1.35.7+k0s.0")) != c.old35 || d.Takes(v("v1.36.3+k0s.2")) != c.new36 {
			t.Errorf("%q is of form %d, taken by 1.35: %t, by 1.36: %t", text, form, d.Takes(v("v1.35.7+k0s.0")), d.Takes(v("v1.36.3+k0s.2")))
		}
	}
	for file, want := range map[string]bool{
		dropIn: true, ContainerdConfig: true, ContainerdDropIns + "/certs.d/a.toml": false, dropIn + ".bak": false, "/etc/k0s/k0s.yaml": false,
	} {
		if ReadByContainerd(file) != want {
			t.Errorf("%s is read by containerd: %t", file, !want)
		}
	}
	if (DropIn{Path: ContainerdConfig, Form: 2}).Takes(v("v1.36.3+k0s.2")) != true {
		t.Error("containerd 2 reads a whole configuration of the former form")
	}
}
