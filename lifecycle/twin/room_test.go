package twin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestRoomCheck: a folder that takes no files, or has too little room, is refused with what is missing and what to do.
func TestRoomCheck(t *testing.T) {
	folder := t.TempDir()
	if err := (Room{Folder: folder, Controllers: 1, Machines: 3}).Check(); err != nil {
		t.Errorf("a folder with room: %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	nowhere := Room{Folder: filepath.Join(folder, "nowhere")}
	if err := nowhere.Check(); err == nil || !strings.Contains(err.Error(), "the files of the lab can't be written") {
		t.Errorf("no folder: %v", err)
	}
	err := (Room{Folder: folder, Controllers: 1 << 30, Machines: 1 << 30}).Check()
	if err == nil || !strings.Contains(err.Error(), folder+": there is no room for the files of the lab") {
		t.Errorf("too large a lab: %v", err)
	}
	three, one := Room{Controllers: 3, Machines: 3}, Room{Controllers: 1, Machines: 3}
	if three.Need()-one.Need() != 2*roomController || one.Need() < 2*etcdFile {
		t.Errorf("three controllers need %d, one %d", three.Need(), one.Need())
	}
}

// TestNoRoom: a full disk is told as one, whoever says so, with how much a lab needs; what else keeps files from being written is told as
// it is.
func TestNoRoom(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		full bool
	}{
		"the system":         {fmt.Errorf("write k0s: %w", syscall.ENOSPC), true},
		"a machine":          {errors.New("ssh: mv: cannot move: no space left on device"), true},
		"a quota":            {&os.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, true},
		"no right to write":  {&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, false},
		"a folder not there": {os.ErrNotExist, false},
	} {
		d := NoRoom(t.TempDir(), c.err)
		if IsFull(c.err) != c.full || strings.Contains(d.Summary, "no room") != c.full || !strings.Contains(d.Hint, "TMPDIR=/another/folder") {
			t.Errorf("%s: %+v", name, d)
		}
		if c.full && (!strings.Contains(d.Detail, c.err.Error()) || !strings.Contains(d.Detail, "for each controller")) {
			t.Errorf("%s: nothing says how much: %s", name, d.Detail)
		}
	}
	if d := noRoom("/tmp", 3<<20); !strings.Contains(d.Detail, "Its disk has 3.0 MiB left.") {
		t.Errorf("nothing says how much is left: %s", d.Detail)
	}
}

// TestWatchRoom: who waits for a lab whose disk is full is told, and waits no longer. A disk that does not tell ends nothing.
func TestWatchRoom(t *testing.T) {
	looks := 0
	free := func(string) (int64, error) {
		switch looks++; looks {
		case 1:
			return 0, errors.New("not told")
		case 2:
			return etcdFile, nil
		}
		return etcdFile - 1, nil
	}
	ctx, over := Room{Folder: "/tmp/x", free: free}.watch(t.Context(), time.Millisecond)
	defer over()
	<-ctx.Done()
	d, full := Full(ctx)
	if !full || looks != 3 || d.Subject != "/tmp/x" || !strings.Contains(d.Detail, "64.0 MiB left") {
		t.Errorf("after %d looks: %t, %+v", looks, full, d)
	}
	ctx, over = Room{Folder: t.TempDir()}.Watch(t.Context())
	if over(); ctx.Err() == nil {
		t.Error("the watch goes on")
	}
	if _, full := Full(ctx); full {
		t.Error("the end of a watch is taken for a full disk")
	}
	if _, full := Full(context.Background()); full {
		t.Error("nothing was watched")
	}
}

// TestWithinRoom: what is done in a lab that had no room says nothing of what it was done for, whether it was told or not.
func TestWithinRoom(t *testing.T) {
	fails := errors.New("etcd exits")
	waits := func(ctx context.Context) error { <-ctx.Done(); return lifecycle.WhyEnded(ctx) }
	ends := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	for name, c := range map[string]struct {
		free   int64
		run    func(context.Context) error
		proven bool
		says   string
	}{
		"it is waited for, and the disk fills": {0, waits, false, "there is no room for the files of the lab"},
		"it fails on a full disk":              {0, ends(fails), false, "there is no room for the files of the lab"},
		"it finds fault, on a full disk":       {0, ends(nil), false, "there is no room for the files of the lab"},
		"it is proven, and the disk is full":   {0, ends(nil), true, ""},
		"it fails":                             {1 << 40, ends(fails), false, "etcd exits"},
		"it finds fault":                       {1 << 40, ends(nil), false, ""},
	} {
		room := Room{Folder: t.TempDir(), free: func(string) (int64, error) { return c.free, nil }}
		err := room.within(t.Context(), time.Millisecond, c.run, func() bool { return c.proven })
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(fails)
	room := Room{Folder: t.TempDir(), free: func(string) (int64, error) { return 0, nil }}
	err := room.Within(interrupted, waits, func() bool { return false })
	if _, full := errors.AsType[lifecycle.Diagnostic](err); full {
		t.Errorf("Ctrl-C is taken for a full disk: %v", err)
	}
}

// TestLabWithoutRoom: a lab that ends for want of room, or waits without an end, is told by that.
func TestLabWithoutRoom(t *testing.T) {
	folder := t.TempDir()
	lab := filepath.Join(folder, "kiban-lab")
	script := "#!/bin/sh\necho 'kiban-lab: write /tmp/x: no space left on device' >&2\nexit 1\n"
	if err := os.WriteFile(lab, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := StartLab(t.Context(), lab, folder, nil, nil)
	if err == nil || !strings.Contains(err.Error(), folder+": there is no room for the files of the lab") {
		t.Errorf("got %v", err)
	}
	if st, err := os.Stat(filepath.Join(folder, "lab")); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the lab's folder is open to others: %v, %v", st, err)
	}
}

// TestFullDiskEndsARehearsal: a lab that is up and has no room any more is waited for by nobody.
func TestFullDiskEndsARehearsal(t *testing.T) {
	looks := 0
	err := standIn(t, "exec sleep 600\n", func(string) (int64, error) {
		if looks++; looks == 1 {
			return 1 << 40, nil
		}
		return 0, nil
	})
	ds := lifecycle.AsDiagnostics(err, "")
	if len(ds) != 1 || !strings.Contains(ds[0].Detail, "Its disk has 0 B left") || !strings.Contains(ds[0].Hint, "TMPDIR=") {
		t.Errorf("got %+v", ds)
	}
}
