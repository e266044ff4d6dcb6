package systemd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
	"kiban.dev/kiban/lab/machine/posix"
	"kiban.dev/kiban/lab/machine/systemd"
)

const etc = "/etc/systemd/system/"

// box is a machine with a service manager, whose programs are named by what they do: /run lives until it is stopped, /fail ends with a
// failure at once, /end without one, /env tells its environment and lives.
type box struct {
	t     *testing.T
	shell *posix.System
	files disk.View
	units *systemd.Manager

	mu    sync.Mutex
	notes []string
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t}
	root := t.TempDir()
	d := disk.New(disk.Options{Root: root, Generated: programs{}})
	b.files = d.As(disk.Root(), nil)
	for _, p := range []string{etc, "/tmp", "/root", "/etc", "/usr/bin"} {
		b.must(b.files.MkdirAll(p, 0o755))
	}
	b.must(b.files.Symlink("usr/bin", "/bin"))
	booted := time.Now()
	b.units = systemd.New(systemd.Options{Files: b.files, Now: time.Now, Booted: func() time.Time { return booted }, Exec: runProgram,
		Reboot: func() { b.note("machine", "reboot") },
		Note:   b.note})
	t.Cleanup(b.units.StopAll)
	b.shell = &posix.System{Disk: d, Hostname: func() string { return "box" }, Now: time.Now, Booted: func() time.Time { return booted },
		Users:    map[string]disk.User{"root": disk.Root(), "ops": {Name: "ops", UID: 1000, GID: 1000, Home: "/tmp"}},
		Programs: map[string]posix.Program{"systemctl": b.units.Systemctl, "journalctl": b.units.Journalctl}}
	return b
}

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) note(unit, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, unit+" "+what)
}

type programs struct{}

func (programs) File(p string) ([]byte, fs.FileMode, bool) {
	if strings.HasPrefix(p, "/usr/bin/") {
		return []byte("\x7fELF"), 0o755, true
	}
	return nil, 0, false
}

func (programs) Names(dir string) []string {
	if dir == "/dev" {
		return []string{"null"}
	}
	return nil
}

func runProgram(ctx context.Context, p systemd.Process, log io.Writer) error {
	switch p.Argv[0] {
	case "/fail":
		return errors.New("it failed")
	case "/end":
		return nil
	case "/env":
		fmt.Fprintf(log, "env %q args %q\n", p.Env, p.Argv[1:])
	}
	<-ctx.Done()
	return ctx.Err()
}

// unit is a unit file of a service that starts at boot when it is enabled.
func unit(execStart string, more ...string) string {
	return "[Unit]\nDescription=a test\n\n[Service]\nExecStart=" + execStart + "\n" + strings.Join(more,
		"\n") + "\n[Install]\nWantedBy=multi-user.target\n"
}

// write puts a file on the machine.
func (b *box) write(p, content string) {
	b.t.Helper()
	dir := p[:strings.LastIndex(p, "/")]
	b.must(b.files.MkdirAll(dir, 0o755))
	b.must(b.files.WriteFile(p, []byte(content), 0o644))
}

type said struct {
	out, err string
	status   int
}

func (b *box) run(user, line string) said {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	rc := b.shell.Login(ctx, user, line, strings.NewReader(""), &out, &errs)
	return said{out.String(), errs.String(), rc}
}

// until waits for something to become true.
func (b *box) until(what string, is func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not so", what)
		}
	}
}
