package k0s

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// declareFile gives every host of the site a file below its own root.
func declareFile(s *Session, f *farm, file lifecycle.HostFile) {
	f.t.Helper()
	name := file.Path
	for _, m := range s.machines {
		file.Path = filepath.Join(f.fakes[m.host.Name].root, name)
		file.Digest = ""
		if file.Content != nil {
			file.Digest = digest(file.Content)
		}
		kept := slices.DeleteFunc(slices.Clone(m.host.Files), func(h lifecycle.HostFile) bool { return h.Path == file.Path })
		m.host.Files = append(kept, file)
	}
}

// commands are those of the audit log since the last call.
func (f *farm) commands() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, c := range f.audit {
		b.WriteString(c.Command + "\n")
	}
	f.audit = nil
	return b.String()
}

// TestPutFiles: only what differs is put, and the service restarts only for a content that it reads when it starts.
func TestPutFiles(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize")
	if err := os.Chmod(filepath.Join(m.root, "etc"), 0o750); err != nil { // as k0sctl makes the folder of k0s.yaml
		t.Fatal(err)
	}
	file := lifecycle.HostFile{Path: "etc/k0s/policy.yaml", Content: []byte("kind: Policy\n"), Mode: "0640", Owner: me.Username, Restart: true}
	declareFile(s, f, file)
	f.commands()
	f.do(s, "", "c1/files")
	said := f.commands()
	if got := m.read("etc/k0s/policy.yaml"); got != "kind: Policy\n" {
		t.Errorf("the file holds %q", got)
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc")); st.Mode().Perm() != 0o751 {
		t.Errorf("the folder of k0s.yaml has %v: users of k0s cannot enter it", st.Mode())
	}
	if stop, put, start := strings.Index(said, "systemctl stop"), strings.Index(said, "/dev/stdin"),
		strings.Index(said, "systemctl start"); stop < 0 || put < stop || start < put {
		t.Errorf("not stopped, put and started in that order:\n%s", said)
	}
	if strings.Contains(said, "Policy\n") {
		t.Errorf("the content is in a command:\n%s", said)
	}
	if h := f.state(s, "c1"); len(h.Files) != 1 || h.Files[0].Mode != "0640" || h.Files[0].Owner != me.Username ||
		h.Service != lifecycle.ServiceRunning {
		t.Errorf("the machine says %+v", h.Files)
	}
	f.commands()
	f.do(s, "", "c1/files")
	if said := f.commands(); strings.Contains(said, "chmod") || strings.Contains(said, "systemctl stop") {
		t.Errorf("what is as declared is put again:\n%s", said)
	}
	file.Mode = "0600"
	declareFile(s, f, file)
	f.do(s, "", "c1/files")
	if said := f.commands(); strings.Contains(said, "/dev/stdin") || strings.Contains(said, "systemctl stop") {
		t.Errorf("a mode needs neither an upload nor a restart:\n%s", said)
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc/k0s/policy.yaml")); st.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v", st.Mode())
	}
	file.Mode, file.Content = "", []byte("kind: Other\n")
	declareFile(s, f, file)
	f.do(s, v135, "c1/files") // another step follows, whose restart serves both
	if said := f.commands(); strings.Contains(said, "systemctl stop") || !strings.Contains(said, "/dev/stdin") {
		t.Errorf("with a version the file is put without a restart:\n%s", said)
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc/k0s/policy.yaml")); st.Mode().Perm() != 0o600 {
		t.Errorf("a file whose mode is not declared keeps its own, and has %v", st.Mode())
	}
}

// TestFileOfAUserToCome: a file whose owner exists only once k0s is installed is root's alone until then, and is handed over before k0s
// starts.
func TestFileOfAUserToCome(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	m.write("bin/chown", "#!/bin/sh\ncase $1 in kube-apiserver*) [ -d \"$ROOT/unit\" ] || { echo \"chown: invalid user\" >&2; exit 1; }; "+
		"echo \"$1 $(stat -c %a \"$2\")\" >> \"$ROOT/owned\" ;; esac\n", 0o755)
	m.write("bin/systemctl", strings.Replace(fakeSystemctl, "start) ", `start) cp "$ROOT/owned" "$ROOT/owned-at-start" 2>/dev/null; `, 1),
		0o755)
	s := f.open(v135)
	declareFile(s, f, lifecycle.HostFile{Path: "etc/k0s/secret.yaml", Content: []byte("key"), Mode: "0440", Owner: "kube-apiserver",
		Group: "root", Secret: true, Restart: true})
	f.do(s, v135, "c1/prepare")
	if st, err := os.Stat(filepath.Join(m.root, "etc/k0s/secret.yaml")); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("before k0s is there the file is %v, %v", st, err)
	}
	f.do(s, v135, "c1/prepare", "c1/stage", "c1/initialize")
	if got := m.read("owned-at-start"); got != "kube-apiserver:root 600\n" {
		t.Errorf("when k0s started, the owners set were %q", got)
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc/k0s/secret.yaml")); st.Mode().Perm() != 0o440 {
		t.Errorf("its mode is %v", st.Mode())
	}
}

// TestFileWithoutContent: what is not known here is not put, and what the host has of it stays.
func TestFileWithoutContent(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	s := f.open(v135)
	declareFile(s, f, lifecycle.HostFile{Path: "etc/k0s/keys.yaml", Missing: "the environment variable KEYS is not set", Mode: "0600",
		Secret: true})
	for _, step := range []string{"c1/prepare", "c1/files"} {
		if err := f.try(t.Context(), s, "", step); err == nil || !strings.Contains(err.Error(), "KEYS is not set") {
			t.Errorf("%s: %v", step, err)
		}
	}
	m.write("etc/k0s/keys.yaml", "kept", 0o644)
	f.do(s, "", "c1/files")
	if m.read("etc/k0s/keys.yaml") != "kept" {
		t.Error("the host's own content is gone")
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc/k0s/keys.yaml")); st.Mode().Perm() != 0o600 {
		t.Errorf("its mode is compared all the same, and is %v", st.Mode())
	}
}

// TestInterruptedFile: a file is put whole or not at all, and nothing is left beside it.
func TestInterruptedFile(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	m.write("etc/k0s/a.yaml", "old", 0o644)
	m.write("bin/mv", "#!/bin/sh\nexit 1\n", 0o755)
	s := f.open(v135)
	declareFile(s, f, lifecycle.HostFile{Path: "etc/k0s/a.yaml", Content: []byte("new")})
	if err := f.try(t.Context(), s, "", "c1/files"); err == nil {
		t.Fatal("the move failed, and nobody says so")
	}
	if m.read("etc/k0s/a.yaml") != "old" || slices.Contains(m.files(), "etc/k0s/a.yaml.kiban-new") {
		t.Errorf("the machine has %v", m.files())
	}
}

// TestDescribeFiles: what k0sctl's entries stand for, with the modes that they ask for.
func TestDescribeFiles(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	f.write("conf/a.yaml", "a: 1")
	f.write("conf/sub/b.yaml", "b: 2")
	f.extra["c1"] = "    files:\n    - {src: conf, dstDir: /etc/k0s/conf, perm: 0640, dirPerm: '0750', user: kube-apiserver, group: root}\n" +
		"    - {name: motd, data: hello, dst: /etc/motd}\n"
	f.extra["w1"] = "    files:\n    - {src: conf/a.yaml, dstDir: /opt, dst: a.yaml}\n    - {src: conf/sub/b.yaml, dst: /opt/a.yaml}\n"
	site := f.site(v135)
	c1, _ := site.Cluster.Host("c1")
	want := []lifecycle.HostFile{
		{Path: "/etc/k0s/conf/a.yaml", Digest: digest([]byte("a: 1")), Mode: "0640", DirMode: "0750", Owner: "kube-apiserver", Group: "root",
			Restart: true, Source: "conf"},
		{Path: "/etc/k0s/conf/sub/b.yaml", Digest: digest([]byte("b: 2")), Mode: "0640", DirMode: "0750", Owner: "kube-apiserver", Group: "root",
			Restart: true, Source: "conf"},
		{Path: "/etc/motd", Digest: digest([]byte("hello")), Source: "motd"},
	}
	same := func(a, b lifecycle.HostFile) bool {
		return a.Path == b.Path && a.Digest == b.Digest && a.Mode == b.Mode && a.DirMode == b.DirMode && a.Owner == b.Owner &&
			a.Group == b.Group &&
			a.Restart == b.Restart && a.Source == b.Source
	}
	if !slices.EqualFunc(c1.Files, want, same) {
		t.Errorf("c1 has %+v", c1.Files)
	}
	w1, _ := site.Cluster.Host("w1")
	if len(w1.Files) != 1 || string(w1.Files[0].Content) != "b: 2" || w1.Files[0].Mode != "" || w1.Files[0].NewMode != "0600" {
		t.Errorf("w1 has %+v", w1.Files)
	}
}

// TestLargeFilesAreReadOnce: a bundle of images for eight hosts is hashed once, and no host's copy of it is kept in memory. What is sent is
// what was reviewed: a bundle that has changed since is refused, and the machine keeps what it had.
func TestLargeFilesAreReadOnce(t *testing.T) {
	names := []string{"c1", "w1", "w2", "w3"}
	f := newFarm(t, names...)
	bundle := strings.Repeat("image layers\n", keptInMemory/8)
	f.write("bundle.tar", bundle)
	for _, n := range names {
		f.extra[n] = "    files:\n    - {src: bundle.tar, dst: " + f.fakes[n].root + "/etc/bundle.tar, perm: '0640'}\n"
	}
	s := f.open(v135)
	for _, h := range s.site.Cluster.Hosts {
		if file := h.Files[0]; file.Content != nil || file.Local == "" || file.Digest != digest([]byte(bundle)) {
			t.Errorf("%s: %d bytes in memory, local %q, %s", h.Name, len(file.Content), file.Local, file.Digest)
		}
	}
	f.do(s, v135, "w1/prepare")
	if got := f.fakes["w1"].read("etc/bundle.tar"); got != bundle {
		t.Errorf("%d of %d bytes arrived", len(got), len(bundle))
	}
	f.write("bundle.tar", bundle+"and another")
	if err := f.try(t.Context(), s, v135, "w2/prepare"); err == nil || f.fakes["w2"].read("etc/bundle.tar") != "" {
		t.Errorf("another bundle than was reviewed is put: %v, %d bytes", err, len(f.fakes["w2"].read("etc/bundle.tar")))
	}

	sources := sourceFiles{}
	local := filepath.Join(f.dir, "bundle.tar")
	first, err := sources.read(local)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(local); err != nil {
		t.Fatal(err)
	}
	if again, err := sources.read(local); err != nil || again.digest != first.digest {
		t.Errorf("it is read again for each host: %v", err)
	}
}
