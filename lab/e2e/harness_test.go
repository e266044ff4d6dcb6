package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/fleet"
)

const (
	v134 = "v1.34.10+k0s.0"
	v135 = "v1.35.7+k0s.0"
	v136 = "v1.36.3+k0s.2"
)

// bench is one lab with one site on it.
type bench struct {
	t   *testing.T
	dir string // of the fleet; the lab is in dir/.lab
	fleet.Site
}

func binary(t *testing.T, env, name string) string {
	t.Helper()
	p := os.Getenv(env)
	if p == "" {
		p = filepath.Join("..", "..", "bin", name)
	}
	p, err := filepath.Abs(p)
	if err == nil {
		_, err = os.Stat(p)
	}
	if err != nil {
		t.Fatalf("%v: build it first, with `make build lab`, or set %s", err, env)
	}
	return p
}

// start brings up machines; kiban has done nothing to them yet. net is the lab's own "127.x.y", so that tests run side by side.
func start(t *testing.T, net string, controllers, workers int, upArgs ...string) *bench {
	t.Helper()
	dir := t.TempDir()
	if os.Getenv("KIBAN_E2E_KEEP") != "" { // the test's own folder goes with it, whatever its cleanup leaves alone
		var err error
		if dir, err = os.MkdirTemp("", "kiban-e2e-"+strings.ReplaceAll(t.Name(), "/", "-")+"-"); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, dir: dir, Site: fleet.Site{Net: net, Controllers: controllers, Workers: workers, Version: v135, User: "root",
		Canaries:       1,
		MaxUnavailable: "1", DrainTimeout: "60s", NodeTimeout: "60s"}}
	b.write()
	args := append([]string{"up", "--dir", ".lab", "--net", net, "--controllers", fmt.Sprint(controllers), "--workers", fmt.Sprint(workers),
		"--detach"}, upArgs...)
	if r := b.run(hangs, binary(t, "KIBAN_LAB_BIN", "kiban-lab"), args...); r.code != 0 {
		t.Fatalf("the lab did not come up: %s", r)
	}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("KIBAN_E2E_KEEP") != "" {
			t.Logf("kept: %s", b.dir)
			return
		}
		b.lab("down", "--dir", ".lab")
	})
	return b
}

// write puts the overlay on disk as it is now.
func (b *bench) write() {
	b.t.Helper()
	if err := b.Site.Write(b.dir); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) file(path, content string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// result is what a command left.
type result struct {
	argv           []string
	stdout, stderr string
	code           int
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%s: exit %d after %s\nstdout:\n%s\nstderr:\n%s", strings.Join(r.argv[1:], " "), r.code, r.took.Round(time.Millisecond),
		tail(r.stdout, 6000), tail(r.stderr, 6000))
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func (b *bench) run(limit time.Duration, bin string, args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = b.dir
	cmd.WaitDelay = 5 * time.Second
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	start := time.Now()
	err := cmd.Run()
	r := result{argv: cmd.Args, stdout: out.String(), stderr: errw.String(), took: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	default:
		b.t.Fatalf("%s: %v", bin, err)
	}
	return r
}

// kiban runs the real thing.
func (b *bench) kiban(args ...string) result {
	b.t.Helper()
	return b.run(8*time.Minute, binary(b.t, "KIBAN_BIN", "kiban"), args...)
}

// lab talks to the lab.
func (b *bench) lab(args ...string) result {
	b.t.Helper()
	return b.run(hangs, binary(b.t, "KIBAN_LAB_BIN", "kiban-lab"), args...)
}

// must fails the test unless the command ended with that code.
func (b *bench) must(code int, r result) result {
	b.t.Helper()
	if r.code != code {
		b.t.Fatalf("want exit %d, got %s", code, r)
	}
	return r
}

// apply carries out what the overlay says now.
func (b *bench) apply(code int) result {
	b.t.Helper()
	args := []string{"apply", "lab", "--yes"}
	if code == 0 { // a run before that ended without an API may have left its lock there, which is dead half a minute later
		args = append(args, "--lock-timeout", "2m")
	}
	return b.must(code, b.kiban(args...))
}

// changes are the mutations that the machines underwent since the mark, one a line.
func (b *bench) mark() string {
	b.t.Helper()
	return strings.TrimSpace(b.must(0, b.lab("mark", "--dir", ".lab")).stdout)
}

func (b *bench) changes(since string) string {
	b.t.Helper()
	return strings.TrimSpace(b.must(0, b.lab("commands", "--dir", ".lab", "--changes", "--since", since)).stdout)
}

// untouched asserts that nothing was changed on any machine since the mark.
func (b *bench) untouched(since, after string) {
	b.t.Helper()
	if c := b.changes(since); c != "" {
		b.t.Errorf("%s changed machines:\n%s", after, c)
	}
}

// emptyPlan asserts that there is nothing left to do, and that asking changes nothing.
func (b *bench) emptyPlan() {
	b.t.Helper()
	m := b.mark()
	r := b.must(0, b.kiban("plan", "lab", "--detailed-exitcode"))
	if !strings.Contains(r.stdout, "No changes") {
		b.t.Errorf("the plan is not empty: %s", r)
	}
	b.untouched(m, "plan")
}

// plan gives the plan's steps, by id in order.
func (b *bench) plan() (ids []string) {
	b.t.Helper()
	r := b.kiban("plan", "lab", "-o", "json")
	var p struct{ Steps []struct{ ID string } }
	if err := json.Unmarshal([]byte(r.stdout), &p); err != nil {
		b.t.Fatalf("plan -o json: %v\n%s", err, r)
	}
	for _, s := range p.Steps {
		ids = append(ids, s.ID)
	}
	return ids
}

// admin is a client for the site's API as kiban hands it out, with its REST config.
func (b *bench) admin() (*kubernetes.Clientset, *rest.Config) {
	b.t.Helper()
	r := b.must(0, b.kiban("kubeconfig", "lab"))
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(r.stdout))
	if err != nil {
		b.t.Fatalf("kubeconfig: %v\n%s", err, r)
	}
	cfg.QPS, cfg.Burst = 200, 400
	cs, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return cs, cfg
}

// hangs is how long nothing takes that does not hang, on the slowest machine that tests run on.
const hangs = 5 * time.Minute

// eventually polls until ok, and fails the test with what it last said where that never is.
func (b *bench) eventually(what string, ok func() (bool, string)) {
	b.t.Helper()
	deadline := time.Now().Add(hangs)
	for {
		good, why := ok()
		if good {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not within %s: %s", what, hangs, why)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// background starts a command that is stopped with an interrupt; stop gives its result.
func (b *bench) background(bin string, args ...string) (cmd *exec.Cmd, stop func(os.Signal) result) {
	b.t.Helper()
	cmd = exec.Command(bin, args...)
	cmd.Dir = b.dir
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Writer(&out), io.Writer(&errw)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // its exit code is read below
	b.t.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
	return cmd, func(sig os.Signal) result {
		if sig != nil {
			_ = cmd.Process.Signal(sig)
		}
		select {
		case <-done:
		case <-time.After(hangs):
			_ = cmd.Process.Kill()
			<-done
		}
		return result{argv: cmd.Args, stdout: out.String(), stderr: errw.String(), code: cmd.ProcessState.ExitCode(), took: time.Since(start)}
	}
}
