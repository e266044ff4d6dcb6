package k0s

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const archived = "keys and data\nthe end\n"

// archive is a backup whose content is given, and whose digest is that of archived.
func archive(content func() io.Reader) *Archive {
	return &Archive{Digest: digest([]byte(archived)), Open: func() (io.ReadCloser, error) { return io.NopCloser(content()), nil }}
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// ruined is a machine with a k0s staged and no data, and a session with a backup to restore.
func ruined(t *testing.T, a *Archive) (*farm, *Session) {
	t.Helper()
	f := newFarm(t, "c1")
	f.restore = a
	s := f.open(v135)
	f.do(s, v135, "c1/stage")
	return f, s
}

func TestRestore(t *testing.T) {
	f, s := ruined(t, archive(text(archived)))
	f.do(s, v135, "c1/restore")
	c1 := f.fakes["c1"]
	if got := c1.read("data/db"); got != archived {
		t.Errorf("k0s was given %q", got)
	}
	h := f.state(s, "c1")
	if h.Service != lifecycle.ServiceRunning || h.Running.String() != v135 || h.Restored != "" {
		t.Errorf("after the restore: %+v", h)
	}
	if left, _ := filepath.Glob(filepath.Join(c1.root, "etc", "*kiban*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, command := range c1.sent() {
		if strings.Contains(command, "keys and data") {
			t.Errorf("the backup is in a command: %s", command)
		}
	}
	if err := f.try(t.Context(), s, v135, "c1/restore"); err == nil || !strings.Contains(err.Error(), "k0s runs") {
		t.Errorf("a second restore over a running controller: %v", err)
	}
	if got := c1.read("data/db"); got != archived {
		t.Errorf("the refused restore left %q", got)
	}
}

// Killed between any two of its parts, it is finished by the next one; the data is not put there twice.
func TestInterruptedRestoreIsFinished(t *testing.T) {
	f, s := ruined(t, archive(text(archived)))
	f.fakes["c1"].write("fail-start", "", 0o600)
	if err := f.try(t.Context(), s, v135, "c1/restore"); err == nil {
		t.Fatal("it started")
	}
	if h := f.state(s, "c1"); h.Restored != digest([]byte(archived)) || !h.Data {
		t.Fatalf("the data is not marked: %+v", h)
	}
	if err := os.Remove(filepath.Join(f.fakes["c1"].root, "fail-start")); err != nil {
		t.Fatal(err)
	}
	f.restore = &Archive{Digest: digest([]byte(archived)), Open: func() (io.ReadCloser, error) { return nil, errors.New("read again") }}
	f.do(f.open(v135), v135, "c1/restore")
	if h := f.state(s, "c1"); h.Service != lifecycle.ServiceRunning || h.Restored != "" {
		t.Errorf("after the second run: %+v", h)
	}
}

// A restore that fails leaves an empty machine: nothing of half a backup may ever start.
func TestFailedRestoreLeavesNothing(t *testing.T) {
	for name, a := range map[string]*Archive{
		"cut off":            archive(text("keys and da")),
		"a read that fails":  archive(func() io.Reader { return io.MultiReader(strings.NewReader("keys"), broken{}) }),
		"changed meanwhile":  archive(text("other keys and data\nthe end\n")),
		"cannot be read":     {Digest: "sha256:x", Open: func() (io.ReadCloser, error) { return nil, errors.New("no such file") }},
		"interrupted upload": archive(func() io.Reader { return io.MultiReader(strings.NewReader("keys"), slow{}) }),
	} {
		t.Run(name, func(t *testing.T) {
			f, s := ruined(t, a)
			ctx := t.Context()
			if name == "interrupted upload" {
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				ctx = short
			}
			if err := f.try(ctx, s, v135, "c1/restore"); err == nil {
				t.Fatal("it passed")
			}
			var h lifecycle.HostState
			for range 200 { // an upload that breaks off is noticed on the machine, not here
				if h = f.state(s, "c1"); !h.Data {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if h.Data || h.Installed() || h.Restored != "" {
				t.Errorf("left %+v: %s", h, f.fakes["c1"].files())
			}
		})
	}
}

func TestRestoreTouchesNoData(t *testing.T) {
	f, s := ruined(t, archive(text(archived)))
	f.fakes["c1"].write("data/etcd/precious", "x", 0o600)
	if err := f.try(t.Context(), s, v135, "c1/restore"); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restored over data: %v", err)
	}
	if f.fakes["c1"].read("data/etcd/precious") != "x" {
		t.Error("the data is gone")
	}
	// the same, found out only on the machine itself
	_, h, err := s.document.cluster("c1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := (&task{Session: s, ctx: t.Context()}).attach("c1", h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.pipe(t.Context(), r.restoreCommand("sha256:x"), strings.NewReader(archived), nil); err == nil ||
		f.fakes["c1"].read("data/etcd/precious") != "x" {
		t.Errorf("the command does not look before it acts: %v", err)
	}
	if command := r.restoreCommand("sha256:x"); !strings.Contains(command, ">/dev/null && sync && printf %s sha256:x > ") ||
		!strings.Contains(command, "/kiban-restored && sync ") {
		t.Errorf("after a power cut the mark may stand beside empty files: %s", command)
	}
}

func TestRestart(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.do(s, v135, "w1/restart")
	sent := strings.Join(f.fakes["w1"].sent(), "\n")
	if i := strings.LastIndex(sent, "systemctl stop k0sworker"); i < 0 || !strings.Contains(sent[i:], "systemctl start k0sworker") {
		t.Errorf("it was not restarted: %s", sent)
	}
	if h := f.state(s, "w1"); h.Service != lifecycle.ServiceRunning {
		t.Errorf("after the restart: %+v", h)
	}
	f.do(s, "", "w1/reset")
	if err := f.try(t.Context(), s, v135, "w1/restart"); err == nil {
		t.Error("a machine without k0s was restarted")
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

// slow has nothing more to say for a while, and then no end.
type slow struct{}

func (slow) Read([]byte) (int, error) {
	time.Sleep(3 * time.Second)
	return 0, io.EOF
}
