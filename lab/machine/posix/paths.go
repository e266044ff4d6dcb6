package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// How much of a path must exist for readlink and realpath.
const (
	mostOf  = "f" // all but its last element
	allOf   = "e"
	noneOf  = "m"
	maxHops = 40
)

// canonical is the absolute path without links, "." and "..".
func (c *Call) canonical(p, need string, follow bool) (string, error) {
	if p == "" {
		return "", syscall.ENOENT
	}
	folder := strings.HasSuffix(p, "/")
	if !path.IsAbs(p) {
		p = c.Dir + "/" + p
	}
	at, hops := "/", 0
	rest := strings.Split(p, "/")
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, name)
		fi, err := c.Files.Lstat(next)
		last := strings.Trim(strings.Join(rest, ""), "/") == ""
		switch {
		case err != nil:
			if need == allOf || need == mostOf && (!last || !errors.Is(err, fs.ErrNotExist)) {
				return "", err
			}
		case follow && fi.Mode()&fs.ModeSymlink != 0:
			if hops++; hops > maxHops {
				if need == noneOf {
					break
				}
				return "", syscall.ELOOP
			}
			target, err := c.Files.Readlink(next)
			if err != nil {
				return "", err
			}
			if path.IsAbs(target) {
				at = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
			continue
		case need != noneOf && !fi.IsDir() && (!last || folder) && fi.Mode()&fs.ModeSymlink == 0:
			return "", syscall.ENOTDIR
		}
		at = next
	}
	return at, nil
}

func pwd(_ context.Context, c *Call) int {
	o, err := c.parse("P", "L")
	if err != nil {
		return c.usage("%v", err)
	}
	if o.latest("P", "L") == "L" {
		fmt.Fprintln(c.Out, c.Dir)
		return 0
	}
	dir, err := c.canonical(".", allOf, true)
	if err != nil {
		return c.fail(err)
	}
	fmt.Fprintln(c.Out, dir)
	return 0
}

func readlink(_ context.Context, c *Call) int {
	o, err := c.parse("f", "e", "m", "n", "s", "q", "v")
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	if o.has("n") && len(o.args) > 1 {
		fmt.Fprintln(c.Err, "readlink: ignoring --no-newline with multiple arguments")
	}
	status := 0
	for _, p := range o.args {
		var q string
		if need := o.latest(mostOf, allOf, noneOf); need != "" {
			q, err = c.canonical(p, need, true)
		} else {
			q, err = c.Files.Readlink(p)
		}
		switch {
		case err == nil && o.has("n") && len(o.args) == 1:
			fmt.Fprint(c.Out, q)
		case err == nil:
			fmt.Fprintln(c.Out, q)
		default:
			status = 1
			if o.latest("v", "s", "q") == "v" {
				c.fail(named(p, err))
			}
		}
	}
	return status
}

func realpath(_ context.Context, c *Call) int {
	o, err := c.parse("e", "m", "s", "q")
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	need := mostOf
	if n := o.latest(allOf, noneOf); n != "" {
		need = n
	}
	status := 0
	for _, p := range o.args {
		q, err := c.canonical(p, need, !o.has("s"))
		if err != nil {
			status = 1
			if !o.has("q") {
				c.fail(named(p, err))
			}
			continue
		}
		fmt.Fprintln(c.Out, q)
	}
	return status
}

func basename(_ context.Context, c *Call) int {
	o, err := c.parseLeading("a", "s:")
	many := o.has("a", "s")
	switch {
	case err != nil:
	case len(o.args) == 0:
		err = errors.New("missing operand")
	case !many && len(o.args) > 2:
		err = fmt.Errorf("extra operand '%s'", o.args[2])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	suffix := o.value("s")
	if !many && len(o.args) == 2 {
		suffix, o.args = o.args[1], o.args[:1]
	}
	for _, p := range o.args {
		b := p
		if p != "" {
			b = path.Base(p)
		}
		if b != suffix {
			b = strings.TrimSuffix(b, suffix)
		}
		fmt.Fprintln(c.Out, b)
	}
	return 0
}

func dirname(_ context.Context, c *Call) int {
	o, err := c.parse()
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	for _, p := range o.args {
		fmt.Fprintln(c.Out, folderOf(p))
	}
	return 0
}

// folderOf is a path without its last element, as it is written.
func folderOf(p string) string {
	trimmed := strings.TrimRight(p, "/")
	if trimmed == "" && p != "" {
		return "/"
	}
	i := strings.LastIndex(trimmed, "/")
	if i < 0 {
		return "."
	}
	if d := strings.TrimRight(trimmed[:i], "/"); d != "" {
		return d
	}
	return "/"
}
