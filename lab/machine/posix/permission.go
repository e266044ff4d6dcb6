package posix

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// modeOperand takes a symbolic mode such as -x out of the arguments, which looks like an option.
func modeOperand(a []string) (string, []string) {
	for i, s := range a {
		if s == "--" {
			break
		}
		if len(s) > 1 && s[0] == '-' && strings.IndexByte("rwxXstugo", s[1]) >= 0 {
			return s, append(append([]string(nil), a[:i]...), a[i+1:]...)
		}
	}
	return "", a
}

func chmod(_ context.Context, c *Call) int {
	mode, rest := modeOperand(c.Args[1:])
	o, err := parseOptions(rest, []string{"R", "f"}, false)
	if err == nil && mode == "" && len(o.args) > 0 {
		mode, o.args = o.args[0], o.args[1:]
	}
	if err == nil && len(o.args) == 0 {
		err = fmt.Errorf("missing operand")
	}
	if err == nil {
		_, err = parseMode(mode, 0, 0)
	}
	if err != nil {
		return c.usage("%v", err)
	}
	return c.walk(o, o.args, func(p string, _ bool) error {
		fi, err := c.Files.Stat(p)
		if err != nil {
			return err
		}
		m, err := parseMode(mode, fi.Mode(), c.session.umask)
		if err != nil {
			return err
		}
		if err := c.Files.Chmod(p, m); err != nil {
			return err
		}
		if naive, err := parseMode(mode, fi.Mode(), 0); strings.HasPrefix(mode, "-") && err == nil && naive != m {
			return fmt.Errorf("%s: the mask keeps bits that %s names", p, mode)
		}
		return nil
	})
}

func chown(_ context.Context, c *Call) int {
	o, err := c.parse("R", "f")
	if err == nil && len(o.args) < 2 {
		err = fmt.Errorf("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	uid, gid, err := c.System.ownership(o.args[0])
	if err != nil {
		return c.usage("%v", err)
	}
	return c.walk(o, o.args[1:], func(p string, top bool) error {
		fi, err := c.Files.Lstat(p)
		if err != nil {
			return err
		}
		if fi.Mode()&fs.ModeSymlink != 0 && (!top || o.has("R")) {
			if c.User.UID != 0 && fi.UID() != c.User.UID {
				return &fs.PathError{Op: "chown", Path: p, Err: errNotPermitted}
			}
			return c.give(p, fi.Mode(), uid, gid)
		}
		if fi, err = c.Files.Stat(p); err != nil {
			return err
		}
		if c.User.UID != 0 && (fi.UID() != c.User.UID || uid >= 0 && uid != c.User.UID || gid >= 0 && gid != c.User.GID) {
			return &fs.PathError{Op: "chown", Path: p, Err: errNotPermitted}
		}
		return c.give(p, fi.Mode(), uid, gid)
	})
}

// give changes a file's owner. As the kernel does, that takes set-user and set-group bits from what can be executed.
func (c *Call) give(p string, mode fs.FileMode, uid, gid int) error {
	if c.User.UID == 0 {
		change := c.Files.Chown
		if mode&fs.ModeSymlink != 0 {
			change = c.Files.Lchown
		}
		if err := change(p, uid, gid); err != nil {
			return err
		}
	}
	strip := fs.ModeSetuid
	if mode&0o010 != 0 {
		strip |= fs.ModeSetgid
	}
	if mode.IsRegular() && mode&strip != 0 {
		return c.Files.Chmod(p, mode&allBits&^strip)
	}
	return nil
}

// walk runs each for the paths, and with -R for all below them; links are followed only when they are named.
func (c *Call) walk(o options, paths []string, each func(p string, top bool) error) int {
	return c.walkFrom(o, paths, true, each)
}

func (c *Call) walkFrom(o options, paths []string, top bool, each func(p string, top bool) error) int {
	status := 0
	for _, p := range paths {
		fi, lerr := c.Files.Lstat(p)
		if to, err := c.Files.Stat(p); top && c.name() == "chmod" && err == nil {
			fi = to // chmod goes into a folder that a named link leads to
		}
		if lerr == nil && fi.Mode()&fs.ModeSymlink != 0 && !top && c.name() == "chmod" {
			continue
		}
		if err := each(p, top); err != nil {
			status = 1
			if !o.has("f") {
				c.fail(named(p, err))
			}
			if lerr != nil {
				continue
			}
		}
		if !o.has("R") || lerr != nil || !fi.IsDir() {
			continue
		}
		infos, err := c.Files.ReadDir(p)
		if err != nil {
			status = 1
			if !o.has("f") {
				c.fail(err)
			}
			continue
		}
		for _, i := range infos {
			if c.walkFrom(o, []string{path.Join(p, i.Name())}, false, each) != 0 {
				status = 1
			}
		}
	}
	return status
}
