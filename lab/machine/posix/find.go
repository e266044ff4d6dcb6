package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// finder is one run of find: its expression is a list of which all must hold, from left to right.
type finder struct {
	*Call
	minDepth, maxDepth int
	depthFirst         bool
	terms              []term
	status             int
}

// term is a test or an action.
type term func(p string, i disk.Info) bool

// find knows -maxdepth -mindepth -name -type -mmin -newer -print -print0 -delete, one after another.
func find(_ context.Context, c *Call) int {
	var roots []string
	a := c.Args[1:]
	if len(a) > 0 && a[0] == "--" {
		a = a[1:]
	}
	for len(a) > 0 && !strings.HasPrefix(a[0], "-") && a[0] != "!" && a[0] != "(" {
		roots, a = append(roots, a[0]), a[1:]
	}
	if roots == nil {
		roots = []string{"."}
	}
	f := &finder{Call: c, maxDepth: 1 << 30}
	if err := f.parse(a); err != nil {
		return c.usage("%v", err)
	}
	for _, r := range roots {
		fi, err := c.statOf(r, false)
		if err != nil {
			f.complain(r, err)
			continue
		}
		f.walk(r, fi, 0)
	}
	return f.status
}

func (f *finder) complain(p string, err error) {
	fmt.Fprintf(f.Err, "find: '%s': %s\n", p, reason(unwrap(err)))
	f.status = 1
}

func (f *finder) parse(a []string) error {
	acts := false
	for len(a) > 0 {
		op := a[0]
		a = a[1:]
		switch op {
		case "-print", "-print0":
			acts = true
			f.terms = append(f.terms, f.printer(map[string]string{"-print": "\n", "-print0": "\x00"}[op]))
			continue
		case "-delete":
			acts, f.depthFirst = true, true
			f.terms = append(f.terms, f.delete)
			continue
		case "-maxdepth", "-mindepth", "-name", "-type", "-mmin", "-newer":
		default:
			return fmt.Errorf("unknown predicate `%s'", op)
		}
		if len(a) == 0 {
			return fmt.Errorf("missing argument to `%s'", op)
		}
		if err := f.predicate(op, a[0]); err != nil {
			return fmt.Errorf("invalid argument `%s' to `%s': %w", a[0], op, err)
		}
		a = a[1:]
	}
	if !acts {
		f.terms = append(f.terms, f.printer("\n"))
	}
	return nil
}

func (f *finder) printer(end string) term {
	return func(p string, _ disk.Info) bool {
		fmt.Fprint(f.Out, p, end)
		return true
	}
}

func (f *finder) delete(p string, _ disk.Info) bool {
	if p == "." {
		return true
	}
	if err := f.Files.Remove(p); err != nil {
		fmt.Fprintf(f.Err, "find: cannot delete '%s': %s\n", p, reason(unwrap(err)))
		f.status = 1
		return false
	}
	return true
}

func (f *finder) predicate(op, arg string) error {
	switch op {
	case "-maxdepth", "-mindepth":
		n, err := strconv.ParseUint(arg, 10, 31)
		if err != nil {
			return errors.New("expected a positive decimal integer")
		}
		if op == "-maxdepth" {
			f.maxDepth = int(n)
		} else {
			f.minDepth = int(n)
		}
	case "-name":
		pattern := strings.ReplaceAll(arg, "[!", "[^")
		if _, err := path.Match(pattern, ""); err != nil {
			return err
		}
		f.terms = append(f.terms, func(p string, _ disk.Info) bool {
			ok, _ := path.Match(pattern, path.Base(p))
			return ok
		})
	case "-type":
		if len(arg) != 1 || !strings.Contains("fdlsc", arg) {
			return errors.New("unknown, or not in the lab")
		}
		f.terms = append(f.terms, func(_ string, i disk.Info) bool { return letters(i.Mode())[:1] == strings.Replace(arg, "f", "-", 1) })
	case "-mmin":
		n, err := strconv.ParseUint(strings.TrimLeft(arg, "+-"), 10, 31)
		if err != nil {
			return errors.New("not a number")
		}
		now, span := f.System.Now(), time.Duration(n)*time.Minute
		f.terms = append(f.terms, func(_ string, i disk.Info) bool {
			age := now.Sub(i.ModTime())
			switch arg[0] {
			case '+':
				return age > span
			case '-':
				return age < span
			}
			return age <= span && age > span-time.Minute
		})
	case "-newer":
		than, err := f.Files.Stat(arg)
		if err != nil {
			return err
		}
		f.terms = append(f.terms, func(_ string, i disk.Info) bool { return i.ModTime().After(than.ModTime()) })
	}
	return nil
}

func (f *finder) holds(p string, fi disk.Info, depth int) {
	if depth < f.minDepth {
		return
	}
	for _, t := range f.terms {
		if !t(p, fi) {
			return
		}
	}
}

func (f *finder) walk(p string, fi disk.Info, depth int) {
	if depth > f.maxDepth {
		return
	}
	if !f.depthFirst {
		f.holds(p, fi, depth)
	}
	if fi.IsDir() && depth < f.maxDepth {
		infos, err := f.Files.ReadDir(p)
		if err != nil {
			f.complain(p, err)
		}
		for _, i := range infos {
			q := strings.TrimSuffix(p, "/") + "/" + i.Name()
			if _, err := f.Files.Lstat(q); err != nil && !errors.Is(err, fs.ErrNotExist) {
				f.complain(q, err)
				continue
			}
			f.walk(q, i, depth+1)
		}
	}
	if f.depthFirst {
		f.holds(p, fi, depth)
	}
}
