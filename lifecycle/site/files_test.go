package site

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

const siteWithFiles = `apiVersion: kiban.dev/v1alpha1
kind: Site
metadata: {name: tokyo}
spec:
  files:
    /etc/k0s/audit.yaml: {on: controllers, file: audit.yaml, mode: "0640", group: kube-apiserver}
    /etc/motd: {on: all, content: "hello\n"}
    /etc/worker: {on: workers, content: "", owner: root, restart: true}
    /etc/k0s/keys.yaml: {on: controllers, from: {env: KIBAN_SECRET_TEST_KEYS}, restart: false}
    /etc/k0s/more.yaml: {on: controllers, from: {fileEnv: KIBAN_SECRET_TEST_FILE}}
`

func TestFilesOfHosts(t *testing.T) {
	fleet := extended(t, map[string]string{"site.yaml": siteWithFiles, "audit.yaml": "kind: Policy\n"})
	t.Setenv("KIBAN_SECRET_TEST_KEYS", "")
	t.Setenv("KIBAN_SECRET_TEST_FILE", filepath.Join(fleet, "none"))
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(printFindings(ds))
	}
	paths := func(h lifecycle.Host) string {
		var out []string
		for _, f := range h.Files {
			out = append(out, f.Path)
		}
		return strings.Join(out, " ")
	}
	for i, want := range []string{
		"/etc/k0s/audit.yaml /etc/k0s/keys.yaml /etc/k0s/more.yaml /etc/motd", "", "", "/etc/motd /etc/worker",
	} {
		if got := paths(s.Cluster.Hosts[i]); want != "" && got != want {
			t.Errorf("%s has %s, want %s", s.Cluster.Hosts[i].Name, got, want)
		}
	}
	files := s.Cluster.Hosts[0].Files
	audit, keys, more := files[0], files[1], files[2]
	if string(audit.Content) != "kind: Policy\n" || audit.Digest != digest(audit.Content) || audit.Mode != "0640" ||
		audit.Group != "kube-apiserver" ||
		!audit.Restart || audit.Secret || !strings.HasSuffix(audit.Source, "site.yaml:6") {
		t.Errorf("audit policy: %+v", audit)
	}
	if keys.Missing != "the environment variable KIBAN_SECRET_TEST_KEYS is not set" || keys.Digest != "" || !keys.Secret || keys.Restart {
		t.Errorf("keys: %+v", keys)
	}
	if !strings.HasPrefix(more.Missing, "there is no file ") || !more.Restart {
		t.Errorf("more: %+v", more)
	}
	if w := s.Cluster.Hosts[3].Files[1]; w.Digest == "" || !w.Restart || w.Owner != "root" {
		t.Errorf("an empty file: %+v", w)
	}

	before := s.Digest
	t.Setenv("KIBAN_SECRET_TEST_KEYS", "k")
	write(t, filepath.Join(fleet, ".kiban", "more"), "m")
	t.Setenv("KIBAN_SECRET_TEST_FILE", "../../.kiban/more")
	s, _ = Load(t.Context(), fleet, "tokyo", Options{})
	files = s.Cluster.Hosts[0].Files
	if string(files[1].Content) != "k" || string(files[2].Content) != "m" || files[1].Missing != "" {
		t.Errorf("secrets: %+v", files)
	}
	if s.Digest != before {
		t.Error("the site's digest tells of secrets")
	}
	write(t, filepath.Join(s.Dir, "audit.yaml"), "kind: Other\n")
	if s, _ = Load(t.Context(), fleet, "tokyo", Options{}); s.Digest == before {
		t.Error("the site's digest does not hold the files that it names")
	}
}

func TestFileTwice(t *testing.T) {
	fleet := extended(t, map[string]string{"site.yaml": "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: tokyo}\n" +
		"spec: {files: {/etc/motd: {on: all, content: a}}}\n"})
	describe := func([]byte, lifecycle.SSH, string, string) (lifecycle.Cluster, lifecycle.Diagnostics) {
		return lifecycle.Cluster{Hosts: []lifecycle.Host{{Name: "w-1", Role: lifecycle.RoleWorker,
			Files: []lifecycle.HostFile{{Path: "/etc/z"}, {Path: "/etc/motd"}}}}}, nil
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{Describe: describe})
	wantFinding(t, ds, lifecycle.SeverityError, "site.yaml", "/etc/motd is declared twice for host w-1")
	if files := s.Cluster.Hosts[0].Files; len(files) != 2 || files[0].Path != "/etc/motd" {
		t.Errorf("files: %+v", files)
	}
}

// What API servers are told to read is judged before it is sent.
func TestServerFiles(t *testing.T) {
	var c clusterDocument
	c.Spec.Hosts = hostsOf("a controller 1 1", "b controller 2 2", "w worker 3 3").Spec.Hosts
	host := func(name string, files ...lifecycle.HostFile) lifecycle.Host {
		return lifecycle.Host{Name: name, Files: files}
	}
	policy := lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Content: []byte("bad"), Digest: "sha256:1", Source: "overlays/x/site.yaml:9"}
	secret := lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Missing: "not set", Secret: true}
	refuse := func(flag string, content []byte) error {
		if string(content) == "bad" {
			return errors.New(flag + ": unknown level")
		}
		return nil
	}
	for name, tt := range map[string]struct {
		arg, value string
		hosts      []lifecycle.Host
		accept     func(string, []byte) error
		want       []string
	}{
		"refused once": {"audit-policy-file", policy.Path, []lifecycle.Host{host("a", policy), host("b", policy)}, refuse,
			[]string{"error: /etc/k0s/audit.yaml would not be accepted"}},
		"not judged":       {"audit-policy-file", policy.Path, []lifecycle.Host{host("a", policy), host("b", policy)}, nil, nil},
		"secret, not here": {"audit-policy-file", policy.Path, []lifecycle.Host{host("a", secret), host("b", secret)}, refuse, nil},
		"missing on one": {"audit-policy-file", policy.Path, []lifecycle.Host{host("a", secret)}, refuse,
			[]string{"warning: audit-policy-file names /etc/k0s/audit.yaml, which is put on 1 controller too few"}},
		"any below /etc/k0s": {"some-file", "/etc/k0s/some.yaml", nil, refuse,
			[]string{"warning: some-file names /etc/k0s/some.yaml, which is put on 2 controllers too few"}},
		"k0s's own": {"client-ca-file", "/var/lib/k0s/pki/ca.crt", nil, refuse, nil},
		"no file":   {"event-ttl", "2h", nil, refuse, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.Spec.K0s.Config.Spec.API.ExtraArgs = map[string]string{tt.arg: tt.value}
			expect(t, checkServerFiles(c, tt.hosts, tt.accept), tt.want...)
		})
	}
	c.Spec.K0s.Config.Spec.API.ExtraArgs = map[string]string{"audit-policy-file": policy.Path}
	if f := checkServerFiles(c, []lifecycle.Host{host("a", policy), host("b", policy)}, refuse)[0]; f.at.Subject != policy.Source ||
		!strings.Contains(f.detail, "unknown level") {
		t.Errorf("finding: %+v", f)
	}
}

// A secret may lie beside the repository, or in folders that git leaves out, not in it.
func TestCommitted(t *testing.T) {
	fleet := sampleFleet(t, "")
	for _, name := range []string{"overlays/tokyo/key", ".kiban/key", ".lab/x/key"} {
		write(t, filepath.Join(fleet, name), "k")
	}
	outside := filepath.Join(t.TempDir(), "key")
	write(t, outside, "k")
	if err := os.Symlink(filepath.Join(fleet, "overlays", "tokyo", "key"), filepath.Join(filepath.Dir(outside), "link")); err != nil {
		t.Fatal(err)
	}
	l := loader{tree: overlay.Read(filepath.Join(fleet, "overlays", "tokyo"))}
	for file, want := range map[string]bool{
		filepath.Join(fleet, "overlays/tokyo/key"): true, filepath.Join(fleet, ".kiban/key"): false, filepath.Join(fleet, ".lab/x/key"): false,
		filepath.Join(fleet, "none"): false, outside: false, filepath.Join(filepath.Dir(outside), "link"): true,
	} {
		if got := l.committed(file); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}

// TestA2_ANameKeepsNothingOutOfGit: a file is committed when git holds it, be it below .kiban or beside the fleet.
func TestA2_ANameKeepsNothingOutOfGit(t *testing.T) {
	fleet := sampleFleet(t, "")
	forced, beside := filepath.Join(fleet, ".kiban", "kc.yaml"), filepath.Join(t.TempDir(), "kc.yaml")
	write(t, forced, "k")
	write(t, beside, "k")
	l := loader{tree: overlay.Read(filepath.Join(fleet, "overlays", "tokyo")), opts: Options{Tracked: func(string) bool { return true }}}
	for _, file := range []string{forced, beside} {
		if !l.committed(file) {
			t.Errorf("%s is not committed, and git holds it", file)
		}
	}
	if l.opts.Tracked = func(string) bool { return false }; l.committed(forced) || l.committed(beside) {
		t.Error("what git does not hold is committed")
	}
}

// TestContainerdFiles: what a file says decides which versions of k0s get it; what the site's own version would not take is refused where
// it is declared.
func TestContainerdFiles(t *testing.T) {
	v135, v136 := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}, lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}
	minor := lifecycle.Version{Major: 1, Minor: 36}
	const old, later = "version = 2\n", "version = 3\n"
	for name, c := range map[string]struct {
		content      string
		since        lifecycle.Version
		target       lifecycle.Version
		host         func(*lifecycle.Host)
		wants        string
		fits35, fits bool // 1.35, 1.36
	}{
		"old on old": {content: old, target: v135, fits35: true},
		"new on new": {content: later, target: v136, fits: true},
		"old on new": {content: old, target: v136, fits35: true,
			wants: "error: /etc/k0s/containerd.d/a.toml is of containerd's `version = 2`, which k0s"},
		"new on old": {content: later, target: v135, fits: true,
			wants: "error: /etc/k0s/containerd.d/a.toml is of containerd's `version = 3`, which k0s"},
		"new on old, in time": {content: later, target: v135, since: minor, fits: true},
		"neither":             {content: "[debug]\n", target: v135, fits35: true, fits: true},
		"neither, since":      {content: "[debug]\n", target: v136, since: minor, fits: true},
		"no version yet":      {content: later, fits: true},
		"no containerd there": {content: old, target: v136, fits35: true, host: func(h *lifecycle.Host) { h.Role = lifecycle.RoleController }},
		"another's containerd": {content: old, target: v136, fits35: true,
			host: func(h *lifecycle.Host) { h.Arguments = []string{"--cri-socket=remote:x"} }},
		"a configuration of one's own": {content: old, target: v136, fits35: true, wants: "warning: /etc/k0s/containerd.d/a.toml is of",
			host: func(h *lifecycle.Host) { h.Files = []lifecycle.HostFile{{Path: lifecycle.ContainerdConfig}} }},
		"broken": {content: "version = 3\n[x\n", target: v136, fits: true, wants: "error: /etc/k0s/containerd.d/a.toml is not TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			h := lifecycle.Host{Role: lifecycle.RoleWorker}
			if c.host != nil {
				c.host(&h)
			}
			f := lifecycle.HostFile{Path: "/etc/k0s/containerd.d/a.toml", Content: []byte(c.content), Since: c.since}
			var want []string
			if c.wants != "" {
				want = []string{c.wants}
			}
			expect(t, checkContainerdFile(&f, h, c.target, sitePlace()), want...)
			if f.Fits(v135) != c.fits35 || f.Fits(v136) != c.fits {
				t.Errorf("it fits 1.35: %t, 1.36: %t", f.Fits(v135), f.Fits(v136))
			}
		})
	}
	secret := lifecycle.HostFile{Content: []byte("password = hunter2 [\n"), Secret: true}
	if why := brokenTOML(secret); why != "Line 1 of it can't be read." {
		t.Errorf("of a secret it says %q", why)
	}
}
