package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mirrorFile = "/etc/k0s/containerd.d/mirror.toml"

// mirror is a file of the workers' containerd, in the form of k0s 1.35 (2) or of 1.36 (3).
func mirror(form string) string {
	section := map[string]string{"2": "io.containerd.grpc.v1.cri", "3": "io.containerd.cri.v1.images"}[form]
	return "version = " + form + "\n[plugins.\"" + section + "\".registry]\nconfig_path = \"/etc/k0s/containerd.d/certs.d\"\n"
}

// mirrorSpec declares it in the Site.
func mirrorSpec(form string) string {
	return "  files:\n    " + mirrorFile + ":\n      on: workers\n      content: |\n        " +
		strings.ReplaceAll(strings.TrimSuffix(mirror(form), "\n"), "\n", "\n        ") + "\n"
}

// runtimesDown tells, when it is asked, the machines whose container runtime has ended since. The lab's own log is asked, not the API: a
// worker that loses its runtime while the API server restarts, and is upgraded right after, never says so there.
func (b *bench) runtimesDown() (names func() []string) {
	b.t.Helper()
	read := func() string {
		text, err := os.ReadFile(filepath.Join(b.dir, ".lab", "lab.log"))
		if err != nil {
			b.t.Fatal(err)
		}
		return string(text)
	}
	before := len(read())
	return func() (lost []string) {
		for line := range strings.Lines(read()[before:]) {
			if _, after, ended := strings.Cut(line, `msg="containerd ends"`); ended {
				_, after, _ = strings.Cut(after, " node=")
				name, _, _ := strings.Cut(after, " ")
				lost = append(lost, name)
			}
		}
		slices.Sort(lost)
		return slices.Compact(lost)
	}
}

// formOn is the form of the file that a machine has.
func (b *bench) formOn(host string) string {
	b.t.Helper()
	out := b.must(0, b.lab("exec", "--dir", ".lab", host, "cat "+mirrorFile)).stdout
	first, _, _ := strings.Cut(out, "\n")
	return strings.TrimPrefix(first, "version = ")
}

// k0s 1.36 brings containerd 2, which takes files of another form than 1.35's. The file of the new form comes with the version that takes
// it, worker by worker, and no container runtime is lost on the way; where an upgrade is taken back, so is the file. What somebody else has
// put there is found before anything is touched.
func TestHazard_H41_FilesComeWithTheirVersion(t *testing.T) {
	t.Parallel()
	b := start(t, "127.253.0", 1, 3)
	b.Spec = mirrorSpec("2")
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 3, 1)

	b.Version, b.Spec, b.NodeTimeout = v136, mirrorSpec("3"), "20s"
	b.write()
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-2", "printf 'version = 2\\n' > /etc/k0s/containerd.d/nvidia.toml"))
	m := b.mark()
	r := b.apply(3)
	for _, want := range []string{"worker-2", "does not take /etc/k0s/containerd.d/nvidia.toml", "containerd 2", "spec.files"} {
		if !strings.Contains(r.stdout+r.stderr, want) {
			t.Errorf("a file of somebody else's: it does not say %q: %s", want, r)
		}
	}
	if c := b.changes(m); strings.Contains(c, " stop ") || strings.Contains(c, "containerd.d") {
		t.Errorf("something was touched:\n%s", c)
	}
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-2", "rm /etc/k0s/containerd.d/nvidia.toml"))

	probe, down := b.probe("web"), b.runtimesDown()
	b.fault("worker-1", "never-ready", v136)
	if r := b.apply(1); !strings.Contains(r.stderr, "it runs "+v135+" again and is back in service") {
		t.Errorf("the first worker was to be taken back: %s", r)
	}
	for _, host := range []string{"worker-1", "worker-2"} {
		if got := b.formOn(host); got != "2" {
			t.Errorf("%s runs %s with a file of version %s", host, v135, got)
		}
	}
	b.nodesAt(cs, v135, 3)
	b.mend("worker-1")
	b.apply(0)
	b.nodesAt(cs, v136, 3)
	for _, host := range []string{"worker-1", "worker-2", "worker-3"} {
		if got := b.formOn(host); got != "3" {
			t.Errorf("%s runs %s with a file of version %s", host, v136, got)
		}
	}
	b.emptyPlan()
	if lost := down(); len(lost) > 0 {
		t.Errorf("the container runtime was lost on %v", lost)
	}
	if sent, failed := probe(); sent == 0 || failed != 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
}

// What k0sctl does on this hop: it puts all files on all hosts before it upgrades the first, so every worker loses its container runtime.
func TestHazard_H41_StockK0sctlTakesEveryRuntime(t *testing.T) {
	t.Parallel()
	b := start(t, "127.253.1", 1, 2)
	b.hostFiles("2")
	b.must(0, b.k0sctl())
	b.allRun(v135)
	cs, _ := b.admin()
	b.nodesAt(cs, v135, 2)
	b.Version = v136
	b.hostFiles("3")
	down := b.runtimesDown()
	b.k0sctl() // whatever comes of it
	if lost := down(); len(lost) != 2 {
		t.Errorf("the container runtime was lost on %v only: the lab is kinder than real machines are", lost)
	}
}

// hostFiles writes the overlay with the file in the Cluster document, as k0sctl takes it.
func (b *bench) hostFiles(form string) {
	b.t.Helper()
	b.write()
	cluster := filepath.Join(b.dir, "overlays", "lab", "cluster.yaml")
	text, err := os.ReadFile(cluster)
	if err != nil {
		b.t.Fatal(err)
	}
	files := "    role: worker\n    files:\n    - name: mirror\n      dst: " + mirrorFile + "\n      perm: \"0644\"\n      data: |\n        " +
		strings.ReplaceAll(strings.TrimSuffix(mirror(form), "\n"), "\n", "\n        ") + "\n"
	b.file(cluster, strings.ReplaceAll(string(text), "    role: worker\n", files))
}
