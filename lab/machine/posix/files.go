package posix

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// parseMode reads an octal mode, or a symbolic one ("u+x,go-w") that alters the mode a file has.
func parseMode(s string, have fs.FileMode) (fs.FileMode, error) {
	if n, err := strconv.ParseUint(s, 8, 16); err == nil {
		m := fs.FileMode(n & 0o777)
		for bit, flag := range map[uint64]fs.FileMode{0o1000: fs.ModeSticky, 0o2000: fs.ModeSetgid, 0o4000: fs.ModeSetuid} {
			if n&bit != 0 {
				m |= flag
			}
		}
		return m, nil
	}
	for _, part := range strings.Split(s, ",") {
		i := strings.IndexAny(part, "+-=")
		if i < 0 {
			return 0, fmt.Errorf("invalid mode: '%s'", s)
		}
		var who, bits fs.FileMode
		for _, w := range part[:i] {
			m, ok := map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[w]
			if !ok {
				return 0, fmt.Errorf("invalid mode: '%s'", s)
			}
			who |= m
		}
		if who == 0 {
			who = 0o777
		}
		for _, b := range part[i+1:] {
			m, ok := map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111, 'X': 0o111}[b]
			if !ok {
				return 0, fmt.Errorf("invalid mode: '%s'", s)
			}
			bits |= m
		}
		switch part[i] {
		case '+':
			have |= who & bits
		case '-':
			have &^= who & bits
		default:
			have = have&^who | who&bits
		}
	}
	return have, nil
}

// modeOption is the mode of an -m option, or the default.
func modeOption(o options, def fs.FileMode) (fs.FileMode, error) {
	if !o.has("m", "mode") {
		return def, nil
	}
	return parseMode(o.value("m", "mode"), 0)
}

func chmod(_ context.Context, c *Call) int {
	o, err := c.parse("R", "f", "v")
	if err != nil || len(o.args) < 2 {
		return c.usage("missing operand")
	}
	return c.walk(o, o.args[1:], func(p string) error {
		fi, err := c.Files.Stat(p)
		if err != nil {
			return err
		}
		m, err := parseMode(o.args[0], fi.Mode())
		if err != nil {
			return err
		}
		return c.Files.Chmod(p, m)
	})
}

func chown(_ context.Context, c *Call) int {
	o, err := c.parse("R", "f", "v")
	if err != nil || len(o.args) < 2 {
		return c.usage("missing operand")
	}
	user, group, both := strings.Cut(o.args[0], ":")
	uid, gid := -1, -1
	if user != "" {
		if uid, err = c.System.uid(user); err != nil {
			return c.usage("invalid user: '%s'", o.args[0])
		}
	}
	if both && group != "" {
		if gid, err = c.System.uid(group); err != nil {
			return c.usage("invalid group: '%s'", o.args[0])
		}
	}
	return c.walk(o, o.args[1:], func(p string) error { return c.Files.Chown(p, uid, gid) })
}

// walk runs each for the paths, and with -R for all below them.
func (c *Call) walk(o options, paths []string, each func(string) error) int {
	status := 0
	for _, p := range paths {
		if err := each(p); err != nil {
			status = c.fail(err)
			continue
		}
		if !o.has("R") {
			continue
		}
		if fi, err := c.Files.Lstat(p); err != nil || !fi.IsDir() {
			continue
		}
		infos, err := c.Files.ReadDir(p)
		if err != nil {
			status = c.fail(err)
			continue
		}
		for _, i := range infos {
			if c.walk(o, []string{path.Join(p, i.Name())}, each) != 0 {
				status = 1
			}
		}
	}
	return status
}

func mkdir(_ context.Context, c *Call) int {
	o, err := c.parse("p", "m:", "v", "mode=")
	if err != nil || len(o.args) == 0 {
		return c.usage("missing operand")
	}
	mode, err := modeOption(o, 0o777&^c.session.umask)
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		if o.has("p") {
			err = c.Files.MkdirAll(p, mode)
		} else {
			err = c.Files.Mkdir(p, mode)
		}
		if err != nil {
			status = c.fail(err)
		}
	}
	return status
}

func rmdir(_ context.Context, c *Call) int {
	status := 0
	for _, p := range c.Args[1:] {
		fi, err := c.Files.Lstat(p)
		if err == nil && !fi.IsDir() {
			err = &fs.PathError{Op: "rmdir", Path: p, Err: syscall.ENOTDIR}
		}
		if err == nil {
			err = c.Files.Remove(p)
		}
		if err != nil {
			status = c.fail(err)
		}
	}
	return status
}

func rm(_ context.Context, c *Call) int {
	o, err := c.parse("f", "r", "R", "v", "d")
	if err != nil {
		return c.usage("%v", err)
	}
	if len(o.args) == 0 && !o.has("f") {
		return c.usage("missing operand")
	}
	status := 0
	for _, p := range o.args {
		fi, err := c.Files.Lstat(p)
		switch {
		case err != nil:
			if o.has("f") && reason(err) == "No such file or directory" {
				continue
			}
			if pe, ok := err.(*fs.PathError); ok && o.has("f") && pe.Err == syscall.ENOENT {
				continue
			}
		case o.has("r", "R"):
			if err = c.removable(p); err == nil {
				err = c.Files.RemoveAll(p)
			}
		case fi.IsDir():
			err = &fs.PathError{Op: "rm", Path: p, Err: syscall.EISDIR}
		default:
			err = c.Files.Remove(p)
		}
		if err != nil {
			status = c.fail(err)
		}
	}
	return status
}

// removable refuses what `rm -rf` of a whole machine would do to the lab.
func (c *Call) removable(p string) error {
	if q, err := c.Files.Resolve(p); err == nil && q == "/" {
		return &fs.PathError{Op: "rm", Path: p, Err: syscall.EPERM}
	}
	return nil
}

// target is where a file of that name goes: below a destination that is a folder.
func (c *Call) target(from, to string) string {
	if fi, err := c.Files.Stat(to); err == nil && fi.IsDir() {
		return path.Join(to, path.Base(from))
	}
	return to
}

func mv(_ context.Context, c *Call) int {
	o, err := c.parse("f", "n", "T", "v")
	if err != nil || len(o.args) < 2 {
		return c.usage("missing file operand")
	}
	dst := o.args[len(o.args)-1]
	status := 0
	for _, p := range o.args[:len(o.args)-1] {
		to := dst
		if !o.has("T") {
			to = c.target(p, dst)
		}
		if err := c.Files.Rename(p, to); err != nil {
			fmt.Fprintf(c.Err, "mv: cannot move '%s' to '%s': %s\n", p, to, reason(err))
			status = 1
		}
	}
	return status
}

func cp(_ context.Context, c *Call) int {
	o, err := c.parse("f", "p", "a", "r", "R", "T", "v")
	if err != nil || len(o.args) < 2 {
		return c.usage("missing file operand")
	}
	dst := o.args[len(o.args)-1]
	status := 0
	for _, p := range o.args[:len(o.args)-1] {
		to := dst
		if !o.has("T") {
			to = c.target(p, dst)
		}
		if err := c.copy(p, to, o.has("p", "a"), o.has("r", "R", "a")); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

func (c *Call) copy(from, to string, preserve, recursive bool) error {
	fi, err := c.Files.Stat(from)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		if !recursive {
			return fmt.Errorf("-r not specified; omitting directory '%s'", from)
		}
		if err := c.Files.MkdirAll(to, fi.Mode().Perm()); err != nil {
			return err
		}
		infos, err := c.Files.ReadDir(from)
		if err != nil {
			return err
		}
		for _, i := range infos {
			if err := c.copy(path.Join(from, i.Name()), path.Join(to, i.Name()), preserve, true); err != nil {
				return err
			}
		}
		return nil
	}
	in, err := c.Files.Open(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := c.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fi.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil && preserve {
		if err = c.Files.Chmod(to, fi.Mode()); err == nil {
			err = c.Files.Chtimes(to, fi.ModTime())
		}
	}
	return err
}

func ln(_ context.Context, c *Call) int {
	o, err := c.parse("s", "f", "n", "T")
	if err != nil || len(o.args) != 2 {
		return c.usage("missing file operand")
	}
	to := o.args[1]
	if !o.has("n", "T") {
		to = c.target(o.args[0], to)
	}
	if o.has("f") {
		if _, err := c.Files.Lstat(to); err == nil {
			if err := c.Files.Remove(to); err != nil {
				return c.fail(err)
			}
		}
	}
	if o.has("s") {
		return c.check(c.Files.Symlink(o.args[0], to))
	}
	return c.check(c.Files.Link(o.args[0], to))
}
