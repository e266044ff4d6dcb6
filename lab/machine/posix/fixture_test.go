package posix_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
	"kiban.dev/kiban/lab/machine/posix"
)

// entry is a file of the folder that every row begins with: a folder when its name ends in a slash, a link when it has a target.
type entry struct {
	name, content, link string
	mode                fs.FileMode
	root                bool // root's, also when the row runs as somebody else
}

const unitFile = `[Unit]
Description=k0s - Zero Friction Kubernetes
# a remark

[Service]
ExecStart=/usr/local/bin/k0s worker --token-file=/etc/k0s/k0stoken
Restart=always
RestartSec=120
`

func fixture() []entry {
	return []entry{
		{name: "text", content: "one\ntwo\nthree\nfour two\n\nsix  6\tend\nOne\n", mode: 0o644},
		{name: "a b", content: "name with a blank\n", mode: 0o644},
		{name: "empty", mode: 0o644},
		{name: "nonl", content: "first\nlast without end", mode: 0o644},
		{name: "blank", content: "\n", mode: 0o644},
		{name: "bin", content: "\x00\x01\xff\xfe\nabc\x00def\n\x80\x81", mode: 0o600},
		{name: "long", content: strings.Repeat("0123456789", 9000) + "\nshort\n", mode: 0o644},
		{name: "numbers", content: "10\n9\n2\n100\n-3\n2\n1.5\nx\n\n 7\n", mode: 0o644},
		{name: "versions", content: "v1.10.0\nv1.9.3+k0s.0\nv1.9.3\nv1.36.3+k0s.2\nv1.36.3+k0s.10\n1.9\n", mode: 0o644},
		{name: "fields", content: "a:b:c:d\nno separator\n::\nx:y\na b\tc d\n", mode: 0o644},
		{name: "env", content: "A=1\nB=two words\n# C=3\nD=\n", mode: 0o640},
		{name: "unit", content: unitFile, mode: 0o644},
		{name: "unicode", content: "äöü\nnaïve café\n日本\n", mode: 0o644},
		{name: "crlf", content: "one\r\ntwo\r\n", mode: 0o644},
		{name: "ro", content: "read only\n", mode: 0o400},
		{name: "none", content: "closed\n", mode: 0},
		{name: "su", content: "#!/bin/sh\nexit 3\n", mode: fs.ModeSetuid | 0o755},
		{name: "script", content: "#!/bin/sh\necho \"$0 $# $1\"\nexit 4\n", mode: 0o755},
		{name: "noexec", content: "echo never\n", mode: 0o644},
		{name: "rooted", content: "root's\n", mode: 0o644, root: true},
		{name: "secret", content: "root's alone\n", mode: 0o600, root: true},
		{name: "dir/", mode: 0o755},
		{name: "dir/f", content: "in dir\n", mode: 0o600},
		{name: "dir/.hidden", content: "hidden\n", mode: 0o644},
		{name: "dir/sub/", mode: 0o750},
		{name: "dir/sub/g", content: "deep\n", mode: 0o644},
		{name: "dir/up", link: "../text"},
		{name: "hollow/", mode: 0o755},
		{name: "closed/", mode: 0},
		{name: "sticky/", mode: fs.ModeSticky | 0o777, root: true},
		{name: "sticky/theirs", content: "root's\n", mode: 0o644, root: true},
		{name: "roots/", mode: 0o755, root: true},
		{name: "roots/file", content: "x\n", mode: 0o644, root: true},
		{name: "link", link: "text"},
		{name: "dangling", link: "nowhere"},
		{name: "dirlink", link: "dir"},
		{name: "loop", link: "loop"},
		{name: ".dot", content: "dot\n", mode: 0o644},
	}
}

// then is when every file of the fixture was written.
var then = time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)

// layer is what writes the fixture: the real file system, or the lab's disk.
type layer interface {
	Mkdir(p string, mode fs.FileMode) error
	WriteFile(p string, b []byte, mode fs.FileMode) error
	Symlink(target, p string) error
	Chmod(p string, mode fs.FileMode) error
	Lchown(p string, uid, gid int) error
	Chtimes(p string, access, modify time.Time) error
}

type real struct{}

func (real) Mkdir(p string, mode fs.FileMode) error               { return os.Mkdir(p, mode) }
func (real) WriteFile(p string, b []byte, mode fs.FileMode) error { return os.WriteFile(p, b, mode) }
func (real) Symlink(target, p string) error                       { return os.Symlink(target, p) }
func (real) Chmod(p string, mode fs.FileMode) error               { return os.Chmod(p, mode) }
func (real) Chtimes(p string, a, m time.Time) error               { return os.Chtimes(p, a, m) }
func (real) Lchown(p string, uid, gid int) error {
	if os.Getuid() != 0 {
		return nil // all is the user's own
	}
	return os.Lchown(p, uid, gid)
}

// looksAround matches a line that may come upon any file: by a pattern, or by ls, find or the like on the folder itself.
var looksAround = regexp.MustCompile(`[*?]| \.(/|[ |;&)]|$)|\b(ls|find)( -[^ ]+)*( *[|;&]|$)|\[[!a-z]-?`)

// needed are the files of the fixture that a line can have to do with: those that it names, or all when it looks around.
func needed(line string) []entry {
	all := looksAround.MatchString(line)
	return slices.DeleteFunc(fixture(), func(e entry) bool {
		top, _, _ := strings.Cut(e.name, "/")
		return !all && top != "text" && !strings.Contains(line, top) || e.root && os.Getuid() != 0
	})
}

// lay writes files of the fixture. Without root, those that would be root's are left out.
func lay(t *testing.T, l layer, dir string, u disk.User, entries []entry) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.Chmod(dir, 0o755))
	must(l.Lchown(dir, u.UID, u.GID))
	var folders []entry
	for _, e := range entries {
		p := filepath.Join(dir, e.name)
		switch {
		case e.link != "":
			must(l.Symlink(e.link, p))
		case strings.HasSuffix(e.name, "/"):
			must(l.Mkdir(p, 0o755))
			folders = append(folders, e)
			continue
		default:
			must(l.WriteFile(p, []byte(e.content), 0o644))
		}
		if !e.root {
			must(l.Lchown(p, u.UID, u.GID))
		}
		if e.link == "" {
			must(l.Chmod(p, e.mode))
			must(l.Chtimes(p, then, then))
		}
	}
	slices.Reverse(folders)
	for _, e := range folders {
		p := filepath.Join(dir, e.name)
		if !e.root {
			must(l.Lchown(p, u.UID, u.GID))
		}
		must(l.Chmod(p, e.mode))
	}
}

// newMachine is a machine with this one's host name and the same accounts.
func newMachine(root string, u disk.User) *posix.System {
	host, _ := os.Hostname()
	m := &posix.System{
		Scripts:  new(posix.Scripts),
		Disk:     disk.New(disk.Options{Root: root, Generated: programFiles{}}),
		Hostname: func() string { return host },
		Address:  "127.0.0.1",
		Now:      time.Now,
		Booted:   func() time.Time { return time.Now().Add(-time.Hour) },
		Users:    accounts(u),
		Programs: borrowed(),
		Sudo:     func(name string) bool { return name == "root" },
		Processes: func() []posix.Process {
			return []posix.Process{{PID: 1, Command: "/sbin/init"}}
		},
	}
	files := m.Disk.As(disk.Root(), nil)
	for _, d := range []string{"/etc", "/tmp", "/usr/bin", "/var/tmp"} {
		if err := files.MkdirAll(d, 0o755); err != nil {
			panic(err)
		}
	}
	for _, d := range []string{"/tmp", "/var/tmp"} {
		if err := files.Chmod(d, fs.ModeSticky|0o777); err != nil {
			panic(err)
		}
	}
	for link, target := range map[string]string{"/bin": "usr/bin", "/sbin": "usr/bin"} {
		if err := files.Symlink(target, link); err != nil {
			panic(err)
		}
	}
	for _, f := range []string{"/etc/passwd", "/etc/group", "/etc/os-release"} {
		b, err := os.ReadFile(f)
		if err == nil {
			err = files.WriteFile(f, b, 0o644)
		}
		if err != nil {
			panic(err)
		}
	}
	return m
}

// accounts are root and who runs the row, both at home in the row's folder.
func accounts(u disk.User) map[string]disk.User {
	root := disk.Root()
	if u.UID == 0 {
		root = u
	}
	return map[string]disk.User{"root": root, u.Name: u}
}

var borrowedNames = []string{"od", "seq", "yes"}

// borrowed are real programs that rows use to look at what they got, and that the lab does not have.
func borrowed() map[string]posix.Program {
	ps := map[string]posix.Program{}
	for _, name := range borrowedNames {
		ps[name] = func(ctx context.Context, c *posix.Call) int {
			cmd := exec.CommandContext(ctx, name, c.Args[1:]...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Out, c.Err
			_ = cmd.Run() // it ends when nobody reads it any more
			return max(0, cmd.ProcessState.ExitCode())
		}
	}
	return ps
}

// programFiles are the files of the lab's programs.
type programFiles struct{}

func (programFiles) File(p string) ([]byte, fs.FileMode, bool) {
	name, ok := strings.CutPrefix(p, "/usr/bin/")
	if !ok || !slices.Contains(posix.Names(), name) && !slices.Contains(borrowedNames, name) {
		return nil, 0, false
	}
	return []byte("\x7fELF"), 0o755, true
}

func (programFiles) Names(dir string) []string {
	switch dir {
	case "/usr/bin":
		return posix.Names()
	case "/dev":
		return []string{"null"}
	}
	return nil
}

// realTree is every file below a folder: kind, mode, owner, names, time and content.
func realTree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		var fi fs.FileInfo
		if err == nil {
			fi, err = d.Info()
		}
		if errors.Is(err, fs.ErrPermission) && os.Getuid() != 0 {
			return nil // below a folder that is closed to its owner, too
		}
		if err != nil {
			return err
		}
		s := fi.Sys().(*syscall.Stat_t)
		describe(&b, strings.TrimPrefix(p, dir), fi, int(s.Uid), int(s.Gid), p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func labTree(t *testing.T, d *disk.Disk, dir string) string {
	t.Helper()
	var b strings.Builder
	v := d.As(disk.Root(), nil)
	var walk func(p string)
	walk = func(p string) {
		fi, err := v.Lstat(p)
		if err != nil {
			t.Fatal(err)
		}
		describe(&b, strings.TrimPrefix(p, dir), fi, fi.UID(), fi.GID(), d.Real(p))
		if !fi.IsDir() || os.Getuid() != 0 && fi.Mode()&0o500 != 0o500 { // as realTree
			return
		}
		infos, err := v.ReadDir(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range infos {
			walk(filepath.Join(p, i.Name()))
		}
	}
	walk(dir)
	return b.String()
}

// describe writes a file's line. Where is where its content and its other names really are.
func describe(b *strings.Builder, name string, fi fs.FileInfo, uid, gid int, where string) {
	m := fi.Mode()
	switch {
	case m&fs.ModeSymlink != 0:
		target, _ := os.Readlink(where)
		fmt.Fprintf(b, "%s -> %s\n", name, target)
		return
	case m.IsDir():
		fmt.Fprintf(b, "%s/ %v %d:%d\n", name, m, uid, gid)
		return
	}
	var links uint64
	if rfi, err := os.Lstat(where); err == nil {
		links = uint64(rfi.Sys().(*syscall.Stat_t).Nlink)
	}
	content := "closed"
	if c, err := os.ReadFile(where); err == nil {
		if content = fmt.Sprintf("%q", c); len(c) > 200 {
			content = fmt.Sprintf("%d bytes %x", len(c), sha256.Sum256(c))
		}
	}
	if m.Perm()&0o400 == 0 && os.Getuid() != 0 {
		content = "closed"
	}
	when := fi.ModTime().UTC().Format(time.RFC3339Nano)
	if time.Since(fi.ModTime()) < time.Minute {
		when = "now"
	}
	fmt.Fprintf(b, "%s %v %d:%d links=%d %s %s\n", name, m, uid, gid, links, when, content)
}
