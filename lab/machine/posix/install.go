package posix

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// installer is one run of install.
type installer struct {
	*Call
	o        options
	mode     fs.FileMode
	uid, gid int
}

func install(_ context.Context, c *Call) int {
	o, err := c.parse("d", "D", "m:", "o:", "g:", "T", "p", "v", "mode=")
	in := &installer{Call: c, o: o, uid: -1, gid: -1}
	if err == nil {
		from := fs.FileMode(0)
		if o.has("d") {
			from = fs.ModeDir
		}
		in.mode, err = c.modeOption(o, 0o755, from)
	}
	if err == nil && o.has("o") {
		if in.uid, err = c.System.uid(o.value("o")); err != nil {
			err = fmt.Errorf("invalid user '%s'", o.value("o"))
		}
	}
	if err == nil && o.has("g") {
		if in.gid, err = c.System.gid(o.value("g")); err != nil {
			err = fmt.Errorf("invalid group '%s'", o.value("g"))
		}
	}
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing file operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	if o.has("d") {
		return in.folders()
	}
	if o.has("D") && len(o.args) == 2 {
		if fi, err := c.Files.Stat(o.args[1]); err != nil || !fi.IsDir() {
			if err := in.parents(path.Dir(o.args[1])); err != nil {
				return c.fail(err)
			}
		}
	}
	sources, dst, err := c.destination(o)
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range sources {
		to := dst
		if !o.has("T") {
			to = c.target(p, dst)
		}
		if err := in.file(p, to); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

// parents makes the folders above what is installed; the mask does not count for them.
func (in *installer) parents(p string) error {
	if fi, err := in.Files.Stat(p); err == nil {
		if !fi.IsDir() {
			return &fs.PathError{Op: "install", Path: p, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if up := path.Dir(p); up != p {
		if err := in.parents(up); err != nil {
			return err
		}
	}
	if err := in.Files.Mkdir(p, 0o755); err != nil {
		return err
	}
	if in.o.has("v") {
		fmt.Fprintf(in.Out, "install: creating directory '%s'\n", p)
	}
	return nil
}

func (in *installer) folders() int {
	status := 0
	made := in.mode
	for _, p := range in.o.args {
		in.mode = made
		if fi, err := in.Files.Stat(p); err == nil && in.o.has("m", "mode") { // what is there is altered
			in.mode, _ = parseMode(in.o.value("m", "mode"), fi.Mode(), in.session.umask) // it was read before
		}
		err := in.parents(strings.TrimRight(p, "/"))
		if err == nil {
			err = in.settle(p)
		}
		if err != nil {
			status = in.fail(err)
		}
	}
	return status
}

// settle gives what was installed its owner and its mode.
func (in *installer) settle(p string) error {
	if in.uid >= 0 || in.gid >= 0 {
		if fi, err := in.Files.Stat(p); err != nil || fi.UID() != in.uid && in.uid >= 0 || fi.GID() != in.gid && in.gid >= 0 {
			if err := in.Files.Chown(p, in.uid, in.gid); err != nil {
				return err
			}
		}
	}
	return in.Files.Chmod(p, in.mode)
}

func (in *installer) file(from, to string) error {
	src, err := in.open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	fi, ferr := in.Files.Stat(from)
	if ferr == nil && fi.IsDir() {
		return fmt.Errorf("omitting directory '%s'", from)
	}
	if old, err := in.Files.Lstat(to); err == nil { // the file is replaced, not written into
		if ferr == nil && sameFile(fi, old) {
			return fmt.Errorf("'%s' and '%s' are the same file", from, to)
		}
		if old.IsDir() {
			return fmt.Errorf("cannot overwrite directory '%s' with non-directory", to)
		}
		if err := in.Files.Remove(to); err != nil {
			return err
		}
		if in.o.has("v") {
			fmt.Fprintf(in.Out, "removed '%s'\n", to)
		}
	}
	if in.o.has("v") {
		fmt.Fprintf(in.Out, "'%s' -> '%s'\n", from, to)
	}
	out, err := in.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, src)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = in.settle(to)
	}
	if err == nil && in.o.has("p") && ferr == nil {
		err = in.Files.Chtimes(to, accessed(fi), fi.ModTime())
	}
	if err != nil {
		return &fs.PathError{Op: "install", Path: to, Err: unwrap(err)}
	}
	return nil
}

func unwrap(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// mktempTemplate is the path that is to be made, with its Xs.
func (c *Call) mktempTemplate(o options) (string, error) {
	if len(o.args) > 1 {
		return "", errors.New("too many templates")
	}
	dir := c.Getenv("TMPDIR")
	given := o.value("p")
	if o.has("t") && dir != "" || given == "" {
		given = dir
	}
	if given == "" {
		given = "/tmp"
	}
	t := "tmp.XXXXXXXXXX"
	if len(o.args) == 1 {
		t = o.args[0]
		switch {
		case o.has("t") && strings.Contains(t, "/"):
			return "", fmt.Errorf("invalid template, '%s', contains directory separator", t)
		case o.has("p") && path.IsAbs(t):
			return "", fmt.Errorf("invalid template, '%s'; with --tmpdir, it may not be absolute", t)
		case !o.has("p", "t"):
			return t, nil
		}
	}
	return path.Join(given, t), nil
}

func mktemp(_ context.Context, c *Call) int {
	o, err := c.parse("d", "p:", "t", "q")
	var t string
	if err == nil {
		t, err = c.mktempTemplate(o)
	}
	if err != nil {
		return c.usage("%v", err)
	}
	end := strings.LastIndex(t, "X") + 1
	start := end
	for start > 0 && t[start-1] == 'X' {
		start--
	}
	if end-start < 3 || strings.Contains(t[end:], "/") {
		return c.usage("too few X's in template '%s'", t)
	}
	for range 100 {
		p := t[:start] + randomName(end-start) + t[end:]
		if o.has("d") {
			err = c.Files.Mkdir(p, 0o700)
		} else {
			var f io.Closer
			if f, err = c.Files.Open(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				f.Close()
			}
		}
		if err == nil {
			fmt.Fprintln(c.Out, p)
			return 0
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if o.has("q") {
		return 1
	}
	return c.fail(err)
}

func randomName(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}
