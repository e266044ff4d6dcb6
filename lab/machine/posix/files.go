package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"kiban.dev/kiban/lab/machine/disk"
)

// create opens a file for writing, empty.
func (c *Call) create(p string) (disk.File, error) {
	return c.Files.Open(p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
}

func mkdir(_ context.Context, c *Call) int {
	o, err := c.parse("p", "m:", "v", "mode=")
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	var mode fs.FileMode
	if err == nil {
		mode, err = c.modeOption(o, 0o777&^c.session.umask, fs.ModeDir|0o777)
	}
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		if err := c.makeFolder(p, mode&allBits, o.has("p"), o.has("v")); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

// makeFolder makes a folder, with parents also those above it; these get the mode that the mask leaves, and may be entered by their owner.
func (c *Call) makeFolder(p string, mode fs.FileMode, parents, verbose bool) error {
	if parents {
		if fi, err := c.Files.Stat(p); err == nil {
			if !fi.IsDir() {
				return &fs.PathError{Op: "mkdir", Path: p, Err: fs.ErrExist}
			}
			return nil
		}
		if up := path.Dir(strings.TrimRight(p, "/")); up != p && p != "" {
			if err := c.makeFolder(up, 0o777&^c.session.umask|0o300, true, verbose); err != nil {
				return err
			}
		}
	}
	if _, err := c.Files.Lstat(strings.TrimRight(p, "/")); err == nil && p != "" {
		return &fs.PathError{Op: "mkdir", Path: p, Err: fs.ErrExist}
	}
	if err := c.Files.Mkdir(p, mode); err != nil {
		return err
	}
	if verbose {
		fmt.Fprintf(c.Out, "%s: created directory '%s'\n", c.name(), p)
	}
	return nil
}

func rmdir(_ context.Context, c *Call) int {
	o, err := c.parse()
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		if err := c.removeFolder(p); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

func (c *Call) removeFolder(p string) error {
	fi, err := c.Files.Lstat(p)
	if err == nil && !fi.IsDir() {
		err = &fs.PathError{Op: "rmdir", Path: p, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return err
	}
	return c.Files.Remove(p)
}

func rm(_ context.Context, c *Call) int {
	o, err := c.parse("f", "r", "R", "v", "d")
	if err == nil && len(o.args) == 0 && !o.has("f") {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		if err := c.removable(p, o); err != nil {
			status = c.fail(err)
			continue
		}
		if c.remove(p, o) != nil {
			status = 1
		}
	}
	return status
}

// removable refuses what no rm does: the root, "." and "..".
func (c *Call) removable(p string, o options) error {
	if !o.has("r", "R") {
		return nil
	}
	if b := path.Base("x/" + lastPart(p)); b == "." || b == ".." || lastPart(p) == "." || lastPart(p) == ".." {
		return fmt.Errorf("refusing to remove '.' or '..' directory: skipping '%s'", p)
	}
	if q, err := c.Files.Resolve(p); err == nil && q == "/" {
		return &fs.PathError{Op: "rm", Path: p, Err: syscall.EPERM}
	}
	return nil
}

// lastPart is the last element of a path as it is written.
func lastPart(p string) string {
	p = strings.TrimRight(p, "/")
	return p[strings.LastIndex(p, "/")+1:]
}

// remove tells of what it cannot remove, and goes on with the rest.
func (c *Call) remove(p string, o options) error {
	fi, err := c.Files.Lstat(p)
	if err == nil && strings.HasSuffix(p, "/") && !fi.IsDir() {
		err = &fs.PathError{Op: "rm", Path: p, Err: syscall.ENOTDIR}
	}
	recursive := o.has("r", "R")
	switch {
	case err != nil:
		if o.has("f") && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
			return nil
		}
	case fi.IsDir() && recursive:
		return c.removeTree(p, o)
	case fi.IsDir() && o.has("d"):
		if err = c.Files.Remove(p); err == nil && o.has("v") {
			fmt.Fprintf(c.Out, "removed directory '%s'\n", p)
		}
	case fi.IsDir():
		err = &fs.PathError{Op: "rm", Path: p, Err: syscall.EISDIR}
	default:
		if err = c.Files.Remove(p); err == nil && o.has("v") {
			fmt.Fprintf(c.Out, "removed '%s'\n", p)
		}
	}
	if err != nil {
		c.fail(err)
	}
	return err
}

func (c *Call) removeTree(p string, o options) error {
	infos, err := c.Files.ReadDir(p)
	if err == nil {
		for _, i := range infos {
			if rerr := c.remove(strings.TrimRight(p, "/")+"/"+i.Name(), o); rerr != nil {
				err = rerr
			}
		}
		if err != nil {
			return err
		}
	}
	if rerr := c.Files.Remove(p); rerr != nil { // an empty folder goes although it cannot be read
		if err == nil {
			err = rerr
		}
		if o.has("f") && errors.Is(rerr, syscall.ENOTDIR) { // a link with a slash: what it leads to is emptied
			return nil
		}
		c.fail(err)
		return err
	}
	if o.has("v") {
		fmt.Fprintf(c.Out, "removed directory '%s'\n", p)
	}
	return nil
}

// target is where a file of that name goes: below a destination that is a folder.
func (c *Call) target(from, to string) string {
	if fi, err := c.Files.Stat(to); err == nil && fi.IsDir() {
		return strings.TrimRight(to, "/") + "/" + path.Base(from)
	}
	return to
}

// destination checks the last of several operands: with more than one source it must be a folder.
func (c *Call) destination(o options) (sources []string, dst string, err error) {
	if len(o.args) < 2 {
		return nil, "", errors.New("missing file operand")
	}
	sources, dst = o.args[:len(o.args)-1], o.args[len(o.args)-1]
	if o.has("T") && len(sources) > 1 {
		return nil, "", fmt.Errorf("extra operand '%s'", o.args[2])
	}
	fi, serr := c.Files.Stat(dst)
	folder := serr == nil && fi.IsDir()
	if len(sources) > 1 && !folder {
		return nil, "", fmt.Errorf("target '%s' is not a directory", dst)
	}
	return sources, dst, nil
}

func mv(_ context.Context, c *Call) int {
	o, err := c.parse("f", "n", "T", "v")
	if err != nil {
		return c.usage("%v", err)
	}
	sources, dst, err := c.destination(o)
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	made := map[string]bool{}
	for _, p := range sources {
		to := dst
		if !o.has("T") {
			to = c.target(p, dst)
		}
		if o.latest("f", "n") == "n" {
			_, terr := c.Files.Lstat(to)
			if _, err := c.Files.Lstat(p); err == nil && terr == nil {
				continue
			}
		}
		err := c.move(p, to, dst)
		if err == nil && made[path.Clean(to)] {
			err = fmt.Errorf("will not overwrite just-created '%s'", to)
		}
		if err != nil {
			fmt.Fprintf(c.Err, "mv: cannot move '%s' to '%s': %s\n", p, to, reason(err))
			status = 1
			continue
		}
		made[path.Clean(to)] = true
		if o.has("v") {
			fmt.Fprintf(c.Out, "renamed '%s' -> '%s'\n", p, to)
		}
	}
	return status
}

// move renames, and refuses what rename(2) would do without a word to a file that has both names.
func (c *Call) move(from, to, dst string) error {
	fi, err := c.Files.Lstat(from)
	if err != nil {
		return err
	}
	if strings.HasSuffix(from, "/") && !fi.IsDir() {
		return syscall.ENOTDIR
	}
	old, err := c.Files.Lstat(strings.TrimRight(to, "/"))
	switch {
	case err != nil:
		if strings.HasSuffix(to, "/") && !fi.IsDir() {
			return syscall.ENOTDIR
		}
	case old.IsDir() && !fi.IsDir():
		return errors.New("cannot overwrite directory with non-directory")
	case !old.IsDir() && fi.IsDir():
		return errors.New("cannot overwrite non-directory with directory")
	case sameFile(fi, old):
		return errors.New("are the same file")
	case fi.Mode()&fs.ModeSymlink != 0: // it would take the place of what it leads to
		if led, err := c.Files.Stat(from); err == nil && sameFile(led, old) {
			return errors.New("are the same file")
		}
	}
	return c.Files.Rename(from, strings.TrimRight(to, "/"))
}

// sameFile reports whether both are names of one file.
func sameFile(a, b disk.Info) bool { return os.SameFile(a.FileInfo, b.FileInfo) }
