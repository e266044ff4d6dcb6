package k0s

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// The hazards are those of running k0sctl as it is (docs/hazards.md). Tests of single parts of the package name theirs where the part is
// tested; here are those about what a machine goes through.

// tree is everything below a machine's folder: modes, sizes and times of change, folders included, so that not even a file that was
// there for a moment passes unseen.
func (f *fake) tree() map[string]string {
	f.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(f.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		out[strings.TrimPrefix(path, f.root)] = fmt.Sprintf("%v %d %s", st.Mode(), st.Size(), st.ModTime())
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// H12: k0sctl's rehearsal connects, stages binaries and takes its lock. What a plan is made from is read, and nothing is written.
func TestHazard_H12_ObservingWritesNothing(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	before := map[string]map[string]string{}
	for name, m := range f.fakes {
		before[name] = m.tree()
	}
	commands := len(f.audit)
	got, err := s.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range got.Hosts {
		if h.Running.String() != v135 {
			t.Fatalf("it was not observed: %+v", h)
		}
		if after := f.fakes[h.Name].tree(); !maps.Equal(before[h.Name], after) {
			t.Errorf("%s was\n%v\nand is\n%v", h.Name, before[h.Name], after)
		}
	}
	if len(f.audit) != commands {
		t.Errorf("commands of a step were sent: %v", f.audit[commands:])
	}
}

// failedStart lets the last of the steps fail when k0s is to start, and asserts that what was installed by then stays, for the next run
// to go on from.
func failedStart(t *testing.T, machine, unit string, steps ...string) {
	t.Helper()
	f := newFarm(t, "c1", "w1")
	f.fakes["c1"].write("token", token(t), 0o600)
	s := f.open(v135)
	last := len(steps) - 1
	f.do(s, v135, steps[:last]...)
	m := f.fakes[machine]
	m.write("fail-start", "", 0o600)
	m.write("data/volumes/of-a-pod", "precious", 0o600)
	if err := f.try(t.Context(), s, v135, steps[last]); err == nil {
		t.Fatal("the start did not fail")
	}
	for _, c := range f.audit {
		if strings.Contains(c.Command, "k0s reset") {
			t.Errorf("after a failed start %s was sent %s", c.Host, c.Command)
		}
	}
	if m.read("unit/"+unit+".service") == "" || m.read("data/volumes/of-a-pod") != "precious" {
		t.Errorf("the failed start was undone: %v", m.tree())
	}
	if err := os.Remove(filepath.Join(m.root, "fail-start")); err != nil {
		t.Fatal(err)
	}
	f.do(s, v135, steps[last])
	if h := f.state(s, machine); h.Running.String() != v135 || h.Token {
		t.Errorf("it was not carried on: %+v", h)
	}
}

// H4: a worker that does not come up is not wiped.
func TestHazard_H4_FailedJoinIsNotUndone(t *testing.T) {
	failedStart(t, "w1", "k0sworker", "c1/stage", "c1/initialize", "w1/stage", "w1/join-worker")
}

// H5: nor is the first controller.
func TestHazard_H5_FailedFirstStartIsNotUndone(t *testing.T) {
	failedStart(t, "c1", "k0scontroller", "c1/stage", "c1/initialize")
}

// H6: another controller is asked to let the member go, with the option that k0s knows, while the service of the one that leaves runs.
func TestHazard_H6_AnotherControllerIsAsked(t *testing.T) {
	f, s := bootstrap(t, "c1", "c2")
	f.do(s, "", "c2/leave-etcd")
	if got := f.fakes["c1"].read("left"); !strings.Contains(got, "--peer-address 10.0.0.12 --data-dir ") {
		t.Errorf("c1 was asked: %q", got)
	}
	if got := f.fakes["c2"].read("left"); got != "" {
		t.Errorf("the controller was asked to leave by itself: %q", got)
	}
	if h := f.state(s, "c2"); h.Service != lifecycle.ServiceRunning {
		t.Errorf("its service is %s before it has left", h.Service)
	}
	f.fakes["c2"].write("bin/k0s", strings.Replace(standIn(v135), `"c1":"https://10.0.0.11:2380",`, "", 1), 0o755)
	if err := f.try(t.Context(), s, "", "c1/leave-etcd"); err != nil {
		t.Errorf("one that has left already: %v", err)
	}
	if err := f.try(t.Context(), s, "", "c1/leave-etcd"); err != nil || f.fakes["c2"].read("left") != "" {
		t.Errorf("it was to leave twice: %v, %s", err, f.fakes["c2"].read("left"))
	}
}

// H29: a reset is done when nothing is left, whatever `k0s reset` says of itself.
func TestHazard_H29_FailedResetIsAnError(t *testing.T) {
	for name, leave := range map[string]func(*fake){
		"it says so": func(m *fake) { m.write("fail-reset", "", 0o600) },
		"it does not": func(m *fake) {
			m.write("bin/k0s", strings.Replace(standIn(v135), `rm -rf "$ROOT/data" "$ROOT/unit"`, "true", 1), 0o755)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, s := bootstrap(t, "c1", "w1")
			leave(f.fakes["w1"])
			err := f.try(t.Context(), s, "", "w1/reset")
			if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "not wiped") {
				t.Errorf("a failed `k0s reset` passed for a good one: %v", err)
			}
		})
	}
}

// H19: whatever a document says of a host's own k0s, what is installed is the declared version, from the site's source.
func TestHazard_H19_OwnBinariesAreNotUsed(t *testing.T) {
	for name, line := range map[string]string{"k0sBinaryPath": "    k0sBinaryPath: own-k0s\n",
		"useExistingK0s": "    useExistingK0s: true\n"} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, "c1")
			f.write("own-k0s", standIn(v136))
			f.fakes["c1"].write("bin/k0s", standIn("v1.34.10+k0s.0"), 0o755)
			f.extra["c1"] = line
			s := f.open(v135)
			f.do(s, v135, "c1/stage", "c1/initialize")
			if got := f.fakes["c1"].read("bin/k0s"); got != standIn(v135) {
				t.Errorf("installed is %q", got[strings.Index(got, "#@"):])
			}
			_, ds := Describe(f.site(v135).Cluster.Document, site, f.dir, "cluster.yaml")
			if !slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, "own source of k0s is not used") }) {
				t.Errorf("nobody is told: %v", ds)
			}
		})
	}
}

// H32: no limit is left to a library's default. How many hosts are asked at once is bounded, also where nobody says how many.
func TestHazard_H32_ConcurrencyIsBounded(t *testing.T) {
	names := []string{"c1", "w1", "w2", "w3", "w4", "w5"}
	f := newFarm(t, names...)
	meeting := t.TempDir()
	for _, name := range names { // the first thing that a machine is asked is who asks
		f.fakes[name].write("bin/id", fmt.Sprintf("#!/bin/sh\ncd %s; touch here.%s; ls here.* | wc -l >> counts; sleep 0.2; rm here.%s; echo 0\n",
			meeting, name, name), 0o755)
	}
	site := f.site(v135)
	s, err := Open(site, Options{Parallel: 2, limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Facts(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := os.ReadFile(filepath.Join(meeting, "counts"))
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for _, line := range strings.Fields(string(counts)) {
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most != 2 {
		t.Errorf("%d hosts were asked at once, want 2", most)
	}
	unsaid, err := Open(site, Options{limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	defer unsaid.Close()
	if n := unsaid.opts.Parallel; n < 1 || n > 64 {
		t.Errorf("unless said, %d hosts are asked at once", n)
	}
}

// H33: the key of a host that nobody has vouched for is not taken, nor noted for next time, whatever the environment says.
func TestHazard_H33_UnknownKeyIsNotTaken(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	f.trust("c1")
	trusted := readFile(t, filepath.Join(f.dir, "known_hosts"))
	other := filepath.Join(t.TempDir(), "known_hosts")
	t.Setenv("SSH_KNOWN_HOSTS", other)
	home := t.TempDir()
	t.Setenv("HOME", home)
	h, err := f.open(v135).HostFacts(t.Context(), "w1")
	if err != nil || h.Problem != lifecycle.HostKeyUnknown {
		t.Errorf("%v, %q %q", err, h.Problem, h.Why)
	}
	if n := len(f.fakes["w1"].sent()); n != 0 {
		t.Errorf("it was sent %d commands", n)
	}
	if got := readFile(t, filepath.Join(f.dir, "known_hosts")); got != trusted {
		t.Errorf("the site's file is now\n%s", got)
	}
	for _, file := range []string{other, filepath.Join(home, ".ssh")} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made (%v)", file, err)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// refusedDocument asserts that a document is refused in these words.
func refusedDocument(t *testing.T, doc, words string) {
	t.Helper()
	if _, ds := Describe([]byte(doc), site, t.TempDir(), "cluster.yaml"); ds.Err() == nil || !strings.Contains(ds.Error(), words) {
		t.Errorf("want %q, got %v, of\n%s", words, ds, doc)
	}
}

// H10: no version, or half of one, would mean whatever is newest on the day.
func TestHazard_H10_VersionIsExact(t *testing.T) {
	const line = "    version: v1.36.3+k0s.2\n"
	for _, v := range []string{"", "    version: v1.36.3\n"} {
		refusedDocument(t, strings.Replace(document3, line, v, 1), map[bool]string{true: "not pinned", false: "not exact"}[v == ""])
	}
}

// H11: what is behind a URL may change at any time, and would change hosts with it.
func TestHazard_H11_NoFilesFromURLs(t *testing.T) {
	refusedDocument(t, strings.Replace(document3, "    reset: true", "    files: [{src: 'https://example.org/x', dst: /tmp/x}]", 1),
		"files from a URL are not supported")
}

// H31: k0sctl validates the hosts of a document only when there is more than one.
func TestHazard_H31_SingleHostIsValidated(t *testing.T) {
	refusedDocument(t, `{apiVersion: k0sctl.k0sproject.io/v1beta1, kind: Cluster, spec: {hosts: [{role: controller, hostname: a, noTaints: true,
 ssh: {address: 1.2.3.4}}], k0s: {version: v1.36.3+k0s.2}}}`, "noTaints")
}
