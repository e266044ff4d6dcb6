package e2e

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The image holds the binary and nothing else that it could need: no other file, no ssh, no home, no folder for temporary files, no
// environment. A cluster is set up from such a root.
func TestFromScratch(t *testing.T) {
	t.Parallel()
	kiban := binary(t, "KIBAN_BIN", "kiban")
	static(t, kiban)
	b := start(t, "127.251.0", 1, 1)
	b.copy(kiban, "kiban")
	if out, err := b.scratch(nil, "/kiban", "version").CombinedOutput(); errors.Is(err, syscall.EPERM) {
		t.Skipf("only root may change the root folder: %v", err)
	} else if err != nil {
		t.Fatalf("kiban version: %v\n%s", err, out)
	}
	within := func(code int, want string, env []string, argv ...string) {
		t.Helper()
		out, err := b.scratch(env, argv...).CombinedOutput()
		if got := exitOf(t, err); got != code || !strings.Contains(string(out), want) {
			t.Fatalf("%q: exit %d, not %d with %q:\n%s", argv, got, code, want, out)
		}
	}
	within(0, "a fleet of one site", nil, "/kiban", "init", "/new")
	within(0, "first: valid", nil, "/kiban", "validate", "--fleet", "/new")
	within(0, "1 controller and 1 worker to join", nil, "/kiban", "plan", "lab", "--fleet", "/")
	within(0, "lab is applied", nil, "/kiban", "apply", "lab", "--yes", "--fleet", "/")
	within(0, "1 of 1 node Ready", nil, "/kiban", "status", "lab", "--fleet", "/")
	b.emptyPlan()

	// What was declared earlier is written out for a while where something has changed; where there is no room for that, it says so.
	b.commit("lab: begin")
	within(0, "No site changed", nil, "/kiban", "sites", "--changed-since", "HEAD", "--fleet", "/")
	b.NodeTimeout = "2m"
	b.write()
	within(1, "Set TMPDIR", nil, "/kiban", "sites", "--changed-since", "HEAD", "--fleet", "/")
	within(0, "lab", []string{"TMPDIR=/.lab"}, "/kiban", "sites", "--changed-since", "HEAD", "--fleet", "/")

	t.Run("with the shell of pipelines", func(t *testing.T) {
		busybox, err := exec.LookPath("busybox")
		if err != nil {
			t.Skip("no busybox here: Debian has it in busybox-static")
		}
		static(t, busybox)
		b.copy(busybox, "sh")
		within(0, "exit 2", nil, "/sh", "-c",
			`status=0; /kiban plan lab --fleet / --out /lab.plan > /plan.txt || status=$?; /kiban plan nowhere --fleet / || echo "exit $((status + 2))"`)
	})
}

// static fails the test for a binary that needs others: it could not be an image's only one.
func static(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Skipf("%s is no Linux binary: %v", path, err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Fatalf("%s is linked to libraries of this machine: build it with CGO_ENABLED=0, as `make build` does", path)
	}
}

// copy puts a file into the fleet's folder, to be run there.
func (b *bench) copy(from, name string) {
	b.t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, name), content, 0o755)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// scratch is a command that sees the fleet's folder and nothing above it, with no environment but what is given.
func (b *bench) scratch(env []string, argv ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	b.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", append([]string{}, env...), &syscall.SysProcAttr{Chroot: b.dir}
	return cmd
}

func exitOf(t *testing.T, err error) int {
	t.Helper()
	exit, is := errors.AsType[*exec.ExitError](err)
	if err != nil && !is {
		t.Fatal(err)
	}
	if is {
		return exit.ExitCode()
	}
	return 0
}
