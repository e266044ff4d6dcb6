package posix_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
	"kiban.dev/kiban/lab/machine/posix"
)

// The oracle: the same command line, run by the lab's shell and programs and by the real ones of this machine (dash, coreutils, sed, grep,
// findutils, ... of Debian), each in a folder of its own with the same content and the same name. What they say, how they end and what they
// leave must be the same.

// nobody is the ordinary user as whom root's tests run what depends on permissions.
var nobody = disk.User{Name: "nobody", UID: 65534, GID: 65534}

// result is what a command line left.
type result struct {
	status   int
	out, err string
	tree     string
}

// required turns what this machine has no program for from a skipped row into a failure.
func required() bool { return os.Getenv("ORACLE_REQUIRED") != "" }

// compared counts the command lines that were compared.
var compared atomic.Int64

// compare runs one row under one user and tells what differs.
func compare(t *testing.T, where string, r row, u disk.User) {
	t.Helper()
	for _, name := range programsOf(r.line) {
		if name == "nosuchprogram" {
			continue
		}
		if _, err := exec.LookPath(name); err != nil {
			if required() {
				t.Errorf("%s: this machine has no %s to compare with; install it", where, name)
			} else {
				t.Logf("%s: skipped, this machine has no %s", where, name)
			}
			return
		}
	}
	want, got := sides(t, r.line, u)
	compared.Add(1)
	d := differences(r.how, want, got)
	switch {
	case r.expect == "" && d != "":
		t.Errorf("%s: as %s$ %s\n%s", where, u.Name, r.line, d)
	case r.expect != "" && d == "":
		t.Errorf("%s: as %s$ %s\n  is no longer %s: take the mark away", where, u.Name, r.line, r.expect)
	case r.expect == "refused" && !refusal.MatchString(got.err):
		t.Errorf("%s: as %s$ %s\n  is to be refused, but the lab says %s\n%s", where, u.Name, r.line, brief(got.err), d)
	}
}

// sides runs a line through the real programs and through the lab's.
func sides(t *testing.T, line string, u disk.User) (want, got result) {
	t.Helper()
	base, err := os.MkdirTemp("", "oracle")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		open := func(p string, d os.DirEntry, err error) error { // a line may have closed its folders
			if err == nil && d.IsDir() {
				return os.Chmod(p, 0o700)
			}
			return err
		}
		if os.Getuid() != 0 {
			_ = filepath.WalkDir(base, open) // what is left closed, RemoveAll tells of
		}
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	}()
	dir, root := filepath.Join(base, "w"), filepath.Join(base, "lab")
	for _, d := range []string{dir, root} { // as the root of a machine has it
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(base, 0o711); err != nil { // nobody passes through it
		t.Fatal(err)
	}
	u.Home = dir
	machine := newMachine(root, u)
	lab := machine.Disk.As(disk.Root(), nil)
	if err := lab.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	files := needed(line)
	lay(t, real{}, dir, u, files)
	lay(t, lab, dir, u, files)
	want = realRun(t, dir, line, u)
	got = labRun(t, machine, line, u)
	want.tree, got.tree = realTree(t, dir), labTree(t, machine.Disk, dir)
	return want, got
}

const rowTimeout = 2 * time.Minute

func realRun(t *testing.T, dir, line string, u disk.User) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), rowTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Args[0] = "sh"
	path := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if u.UID != 0 {
		path = "/usr/local/bin:/usr/bin:/bin:/usr/games"
	}
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=/bin/sh", "PATH=" + path, "LANG=C.UTF-8", "TZ=UTC"}
	if os.Getuid() == 0 && u.UID != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}}
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s: the real one did not end", line)
	}
	return result{status: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
}

func labRun(t *testing.T, m *posix.System, line string, u disk.User) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), rowTimeout)
	defer cancel()
	var out, errs bytes.Buffer
	status := m.Login(ctx, u.Name, line, strings.NewReader(""), &out, &errs)
	if ctx.Err() != nil {
		t.Fatalf("%s: the lab's did not end", line)
	}
	return result{status: status, out: out.String(), err: errs.String()}
}

// refusal is how the lab says that it does not know an option, a command or a construct.
var refusal = regexp.MustCompile(`not in the lab|invalid option|Illegal option|unrecognized (option|operand)|` +
	`unknown (command|predicate|option)|invalid directive|` +
	`invalid (conv|oflag|number|date|user)|not found|unsupported|unhandled|not a POSIX|` +
	`tried parsing as posix|not a valid test operator|usage: cd`)

var (
	digits = regexp.MustCompile(`[0-9]+`)
	blanks = regexp.MustCompile(`[ \t]+`)
)

// differences are in words, "" when there are none. What is said on standard error is not compared, but whether anything is.
func differences(how string, want, got result) string {
	var d strings.Builder
	if want.status != got.status {
		fmt.Fprintf(&d, "  exit code: really %d, in the lab %d\n", want.status, got.status)
	}
	shape := func(s string) string { return s }
	switch how {
	case "shape": // numbers and the width of columns are the machine's own
		shape = func(s string) string { return blanks.ReplaceAllString(digits.ReplaceAllString(s, "N"), " ") }
	case "status":
		shape = func(s string) string { return fmt.Sprint(s != "") }
	}
	if shape(want.out) != shape(got.out) {
		fmt.Fprintf(&d, "  stdout: really %s\n          in the lab %s\n", brief(want.out), brief(got.out))
	}
	if (want.err == "") != (got.err == "") {
		fmt.Fprintf(&d, "  stderr: really %s\n          in the lab %s\n", brief(want.err), brief(got.err))
	}
	if want.tree != got.tree {
		a, b := strings.Split(want.tree, "\n"), strings.Split(got.tree, "\n")
		for _, l := range missing(a, b) {
			fmt.Fprintf(&d, "  files: really     %s\n", brief(l))
		}
		for _, l := range missing(b, a) {
			fmt.Fprintf(&d, "  files: in the lab %s\n", brief(l))
		}
	}
	if d.Len() > 0 {
		fmt.Fprintf(&d, "  (stderr really %s, in the lab %s)\n", brief(want.err), brief(got.err))
	}
	return d.String()
}

// missing are the lines of a that b has not.
func missing(a, b []string) []string {
	has := map[string]bool{}
	for _, l := range b {
		has[l] = true
	}
	var ls []string
	for _, l := range a {
		if !has[l] {
			ls = append(ls, l)
		}
	}
	return ls
}

func brief(s string) string {
	if len(s) > 300 {
		return fmt.Sprintf("%q... (%d bytes)", s[:300], len(s))
	}
	return fmt.Sprintf("%q", s)
}
