package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

var ops = User{Name: "ops", UID: 1000, GID: 1000, Home: "/home/ops"}

func fresh(t *testing.T) (root, user View, changes *[]Change) {
	t.Helper()
	d := New(Options{Root: t.TempDir()})
	changes = &[]Change{}
	note := func(c Change) { *changes = append(*changes, c) }
	root, user = d.As(Root(), note), d.As(ops, note)
	for _, dir := range []string{"/etc/k0s", "/home/ops", "/tmp"} {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must(t, root.Chown("/home/ops", 1000, 1000))
	must(t, root.Chmod("/tmp", fs.ModeSticky|0o777))
	must(t, root.Chmod("/etc/k0s", 0o750))
	must(t, root.WriteFile("/etc/k0s/k0s.yaml", []byte("a: b\n"), 0o600))
	*changes = nil
	return root, user, changes
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func TestPermissionsOfAnOrdinaryUser(t *testing.T) {
	root, user, _ := fresh(t)
	_, err := user.ReadFile("/etc/k0s/k0s.yaml")
	wants(t, "reading below a 0750 folder of root", err, fs.ErrPermission)
	_, err = user.Stat("/etc/k0s/k0s.yaml")
	wants(t, "stat below a 0750 folder of root", err, fs.ErrPermission)
	wants(t, "writing into root's folder", user.WriteFile("/etc/x", nil, 0o644), fs.ErrPermission)
	wants(t, "chmod of root's file", user.Chmod("/etc", 0o777), syscall.EPERM)
	wants(t, "chown", user.Chown("/home/ops", 0, 0), syscall.EPERM)
	must(t, user.WriteFile("/tmp/mine", []byte("x"), 0o600))
	must(t, root.WriteFile("/tmp/roots", []byte("x"), 0o666))
	wants(t, "removing another's file from a sticky folder", user.Remove("/tmp/roots"), syscall.EPERM)
	must(t, user.Remove("/tmp/mine"))
	if b, err := root.ReadFile("/etc/k0s/k0s.yaml"); err != nil || string(b) != "a: b\n" {
		t.Errorf("root reads %q, %v", b, err)
	}
}

func TestModesThatTheRealFileCannotHave(t *testing.T) {
	root, _, _ := fresh(t)
	must(t, root.Chmod("/etc/k0s/k0s.yaml", 0))
	fi, err := root.Stat("/etc/k0s/k0s.yaml")
	must(t, err)
	if fi.Mode().Perm() != 0 {
		t.Errorf("mode %v, want none", fi.Mode())
	}
	must(t, root.WriteFile("/etc/k0s/k0s.yaml", []byte("c"), 0o600)) // root may all the same
	must(t, root.Rename("/etc/k0s", "/etc/moved"))
	if fi, err := root.Stat("/etc/moved/k0s.yaml"); err != nil || fi.Mode().Perm() != 0 {
		t.Errorf("after a rename: %v, %v", fi.Mode(), err)
	}
}

func TestLinksStayInside(t *testing.T) {
	root, _, _ := fresh(t)
	outside := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(outside, []byte("real"), 0o644))
	must(t, root.Symlink(outside, "/tmp/out"))
	must(t, root.Symlink("../../../../../../../.."+outside, "/tmp/up"))
	for _, p := range []string{"/tmp/out", "/tmp/up", outside, "/../../.." + outside} {
		if b, err := root.ReadFile(p); err == nil {
			t.Errorf("%s leads out of the disk: %q", p, b)
		}
	}
	must(t, root.Symlink("/etc", "/tmp/inside"))
	if _, err := root.ReadFile("/tmp/inside/k0s/k0s.yaml"); err != nil {
		t.Errorf("an absolute link within the disk: %v", err)
	}
	must(t, root.Symlink("/tmp/loop", "/tmp/loop"))
	_, err := root.ReadFile("/tmp/loop")
	wants(t, "a link to itself", err, syscall.ELOOP)
}

func TestChangesAreNotedAndReadingIsNone(t *testing.T) {
	root, _, changes := fresh(t)
	_, _ = root.ReadFile("/etc/k0s/k0s.yaml")
	_, _ = root.ReadDir("/etc")
	_ = root.Access("/etc", Write)
	must(t, root.Chmod("/etc/k0s", 0o750)) // as it is already
	must(t, root.RemoveAll("/absent"))
	if len(*changes) != 0 {
		t.Errorf("reading and doing nothing is noted: %v", *changes)
	}
	f, err := root.Open("/etc/k0s/k0s.yaml", os.O_WRONLY, 0)
	must(t, err)
	must(t, f.Close())
	if len(*changes) != 0 {
		t.Errorf("opening without writing is noted: %v", *changes)
	}
	must(t, root.WriteFile("/etc/new", []byte("x"), 0o644))
	must(t, root.Rename("/etc/new", "/etc/newer"))
	must(t, root.Remove("/etc/newer"))
	want := []Change{{"create", "/etc/new"}, {"rename", "/etc/new"}, {"rename", "/etc/newer"}, {"remove", "/etc/newer"}}
	if len(*changes) != len(want) {
		t.Fatalf("got %v, want %v", *changes, want)
	}
	for i := range want {
		if (*changes)[i] != want[i] {
			t.Errorf("change %d: got %v, want %v", i, (*changes)[i], want[i])
		}
	}
}

func TestFullDisk(t *testing.T) {
	root, _, _ := fresh(t)
	root.Disk().SetFull(true)
	wants(t, "writing to a full disk", root.WriteFile("/tmp/x", []byte("data"), 0o644), syscall.ENOSPC)
	root.Disk().SetFull(false)
	must(t, root.WriteFile("/tmp/x", []byte("data"), 0o644))
}

func TestOwnersSurviveSaveAndLoad(t *testing.T) {
	root, user, _ := fresh(t)
	must(t, user.WriteFile("/tmp/mine", nil, 0o600))
	file := filepath.Join(t.TempDir(), "owners.json")
	must(t, root.Disk().Save(file))
	again := New(Options{Root: root.Disk().Real("/")})
	must(t, again.Load(file))
	if fi, err := again.As(Root(), nil).Stat("/tmp/mine"); err != nil || fi.UID() != 1000 {
		t.Errorf("owner %d, %v", fi.UID(), err)
	}
}

// TestPowerCut: what was written and not synced is empty afterwards, under whatever name it has by then. What was synced, and what was
// written a while ago, is as it was; what lay under /run is gone.
func TestPowerCut(t *testing.T) {
	root, _, _ := fresh(t)
	d, v := root.Disk(), root.Forgetful()
	must(t, root.MkdirAll("/run/kiban", 0o755))
	for _, p := range []string{"/tmp/upload", "/tmp/synced", "/tmp/old", "/run/kiban/lock"} {
		must(t, v.WriteFile(p, []byte("k0s"), 0o644))
	}
	must(t, root.WriteFile("/tmp/daemon", []byte("k0s"), 0o644))
	must(t, v.Sync("/tmp/synced"))
	must(t, v.Rename("/tmp/upload", "/tmp/staged"))
	for i := range d.unsynced {
		if fi, err := os.Stat(d.Real("/tmp/old")); err == nil && inode(fi) == i {
			d.unsynced[i] = d.unsynced[i].Add(-writeback - 1)
		}
	}
	lost, err := d.LoseUnsynced()
	if err != nil || len(lost) != 1 || lost[0] != "/tmp/staged" {
		t.Fatalf("lost %q, %v", lost, err)
	}
	for p, want := range map[string]string{"/tmp/staged": "", "/tmp/synced": "k0s", "/tmp/old": "k0s", "/tmp/daemon": "k0s"} {
		if b, err := root.ReadFile(p); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v; want %q", p, b, err, want)
		}
	}
	if _, err := root.ReadFile("/run/kiban/lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what lay under /run is there: %v", err)
	}
	must(t, v.WriteFile("/tmp/all", []byte("k0s"), 0o644))
	must(t, v.Sync())
	if lost, err := d.LoseUnsynced(); err != nil || len(lost) > 0 {
		t.Errorf("lost %q after a sync of all, %v", lost, err)
	}
}
