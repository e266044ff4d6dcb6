package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"kiban.dev/kiban/lab/machine/disk"
)

// copier is one run of cp.
type copier struct {
	*Call
	preserve, recursive, force, verbose bool
	// follow: links of the source are followed: always by default, with -r those that are named are not, with -a none is.
	follow bool
	into   string // where a folder is being copied that lies in itself, which is left out
	failed bool
}

func cp(_ context.Context, c *Call) int {
	o, err := c.parse("f", "p", "a", "r", "R", "T", "v")
	if err != nil {
		return c.usage("%v", err)
	}
	sources, dst, err := c.destination(o)
	if err != nil {
		return c.usage("%v", err)
	}
	k := &copier{Call: c, preserve: o.has("p", "a"), recursive: o.has("r", "R", "a"), force: o.has("f"), verbose: o.has("v"),
		follow: !o.has("r", "R", "a")}
	made := map[string]bool{}
	for _, p := range sources {
		to := dst
		if !o.has("T") {
			to = c.target(p, dst)
		}
		if made[path.Clean(to)] {
			k.complain(fmt.Errorf("will not overwrite just-created '%s' with '%s'", to, p))
			continue
		}
		made[path.Clean(to)] = true
		k.copy(p, to)
	}
	if k.failed {
		return 1
	}
	return 0
}

func (k *copier) complain(err error) {
	k.failed = true
	k.fail(err)
}

func (k *copier) copy(from, to string) {
	get := k.Files.Stat
	if !k.follow {
		get = k.Files.Lstat
	}
	fi, err := get(from)
	if err == nil && strings.HasSuffix(from, "/") && fi.Mode()&fs.ModeSymlink != 0 {
		fi, err = k.Files.Stat(from)
	}
	switch {
	case err != nil:
		k.complain(err)
		return
	case fi.IsDir() && !k.recursive:
		k.complain(fmt.Errorf("-r not specified; omitting directory '%s'", from))
		return
	case fi.IsDir():
		k.folder(from, to, fi)
		return
	}
	if old, err := k.Files.Stat(to); err == nil {
		switch {
		case old.IsDir():
			err = fmt.Errorf("cannot overwrite directory '%s' with non-directory", to)
		case sameFile(old, fi):
			err = fmt.Errorf("'%s' and '%s' are the same file", from, to)
		}
		if err != nil {
			k.complain(err)
			return
		}
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		err = k.link(from, to)
	} else {
		err = k.file(from, to, fi)
	}
	if err != nil {
		k.complain(err)
		return
	}
	k.say(from, to)
}

func (k *copier) say(from, to string) {
	if k.verbose {
		fmt.Fprintf(k.Out, "'%s' -> '%s'\n", from, to)
	}
}

func (k *copier) link(from, to string) error {
	target, err := k.Files.Readlink(from)
	if err != nil {
		return err
	}
	if _, err := k.Files.Lstat(to); err == nil {
		if err := k.Files.Remove(to); err != nil {
			return err
		}
	}
	return k.Files.Symlink(target, to)
}

// folder copies a folder. It can be written to while it is filled, and gets its mode at the end.
func (k *copier) folder(from, to string, fi disk.Info) {
	old, err := k.Files.Stat(to)
	fresh := err != nil
	if !fresh && !old.IsDir() {
		k.complain(fmt.Errorf("cannot overwrite non-directory '%s' with directory '%s'", to, from))
		return
	}
	if k.into == "" {
		a, aerr := k.Files.Resolve(from)
		b, berr := k.Files.Resolve(to)
		if aerr == nil && berr == nil && (b == a || strings.HasPrefix(b, a+"/")) { // all but the copy is copied
			k.complain(fmt.Errorf("cannot copy a directory, '%s', into itself, '%s'", from, to))
			if !fresh {
				return
			}
			k.into = b
			defer func() { k.into = "" }()
		}
	}
	if fresh {
		if err := k.Files.Mkdir(to, 0o700); err != nil {
			k.complain(err)
			return
		}
		k.say(from, to)
	}
	k.fill(from, to)
	k.settle(to, fi, fresh)
}

func (k *copier) fill(from, to string) {
	infos, err := k.Files.ReadDir(from)
	if err != nil {
		k.complain(err)
		return
	}
	for _, i := range infos {
		p := strings.TrimRight(from, "/") + "/" + i.Name()
		if q, err := k.Files.Resolve(p); k.into != "" && err == nil && q == k.into {
			continue
		}
		k.copy(p, strings.TrimRight(to, "/")+"/"+i.Name())
	}
}

func (k *copier) settle(to string, fi disk.Info, fresh bool) {
	var err error
	switch {
	case k.preserve:
		err = k.attributes(to, fi)
	case fresh:
		err = k.Files.Chmod(to, fi.Mode()&fs.ModePerm&^k.session.umask)
	}
	if err != nil {
		k.complain(err)
	}
}

func (k *copier) file(from, to string, fi disk.Info) error {
	in, err := k.Files.Open(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	if l, err := k.Files.Lstat(to); err == nil && l.Mode()&fs.ModeSymlink != 0 {
		if _, err := k.Files.Stat(to); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("not writing through dangling symlink '%s'", to)
		}
	}
	perm := fi.Mode() & fs.ModePerm
	out, err := k.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil && k.force {
		if _, lerr := k.Files.Lstat(to); lerr == nil && k.Files.Remove(to) == nil {
			out, err = k.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		}
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil && k.preserve {
		err = k.attributes(to, fi)
	}
	return err
}

// attributes gives the copy the original's owner, as far as the user may, its mode and its times.
func (k *copier) attributes(to string, fi disk.Info) error {
	mode := fi.Mode()
	if err := k.Files.Chown(to, fi.UID(), fi.GID()); err != nil && (fi.UID() != k.User.UID || fi.GID() != k.User.GID) {
		mode &^= fs.ModeSetuid | fs.ModeSetgid
	}
	if err := k.Files.Chmod(to, mode); err != nil {
		return err
	}
	return k.Files.Chtimes(to, accessed(fi), fi.ModTime())
}

func ln(_ context.Context, c *Call) int {
	o, err := c.parse("s", "f", "n", "T", "v")
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing file operand")
	}
	if err == nil && len(o.args) == 1 {
		o.args = append(o.args, ".")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	sources, dst, err := c.destination(o)
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range sources {
		to := dst
		if l, err := c.Files.Lstat(dst); !o.has("T") && !(o.has("n") && err == nil && l.Mode()&fs.ModeSymlink != 0) {
			to = c.target(p, dst)
		}
		if err := c.linkTo(p, to, o); err != nil {
			fmt.Fprintf(c.Err, "ln: failed to create link '%s': %s\n", to, reason(err))
			status = 1
			continue
		}
		if o.has("v") {
			arrow := map[bool]string{true: "->", false: "=>"}[o.has("s")]
			fmt.Fprintf(c.Out, "'%s' %s '%s'\n", to, arrow, p)
		}
	}
	return status
}

func (c *Call) linkTo(from, to string, o options) error {
	if o.has("s") && from == "" {
		return syscall.ENOENT
	}
	fi, ferr := c.Files.Lstat(from)
	if !o.has("s") {
		if ferr != nil {
			return ferr
		}
		if fi.IsDir() {
			return errors.New("hard link not allowed for directory")
		}
	}
	if old, err := c.Files.Lstat(to); err == nil && o.has("f") {
		switch {
		case old.IsDir():
			return errors.New("cannot overwrite directory")
		case ferr == nil && sameFile(fi, old):
			return errors.New("are the same file")
		}
		if err := c.Files.Remove(to); err != nil {
			return err
		}
	}
	if o.has("s") {
		return c.Files.Symlink(from, to)
	}
	return c.Files.Link(from, to)
}
