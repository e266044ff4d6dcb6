package posix

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
)

// test is /usr/bin/test and [, for where the shell's own is not used (sudo test, xargs test, env [).
func test(_ context.Context, c *Call) int {
	a := c.Args[1:]
	if c.name() == "[" {
		if len(a) == 0 || a[len(a)-1] != "]" {
			fmt.Fprintln(c.Err, "[: missing ']'")
			return 2
		}
		a = a[:len(a)-1]
	}
	negate := false
	for len(a) > 1 && a[0] == "!" {
		negate, a = !negate, a[1:]
	}
	ok, err := c.holds(a)
	if err != nil {
		fmt.Fprintf(c.Err, "test: %v\n", err)
		return 2
	}
	if ok != negate {
		return 0
	}
	return 1
}

func (c *Call) holds(a []string) (bool, error) {
	switch len(a) {
	case 0:
		return false, nil
	case 1:
		return a[0] != "", nil
	case 2:
		return c.holdsOf(a[0], a[1])
	case 3:
		switch a[1] {
		case "=", "==":
			return a[0] == a[2], nil
		case "!=":
			return a[0] != a[2], nil
		}
		x, err := strconv.Atoi(a[0])
		if err != nil {
			return false, fmt.Errorf("%s: integer expression expected", a[0])
		}
		y, err := strconv.Atoi(a[2])
		if err != nil {
			return false, fmt.Errorf("%s: integer expression expected", a[2])
		}
		switch a[1] {
		case "-eq":
			return x == y, nil
		case "-ne":
			return x != y, nil
		case "-lt":
			return x < y, nil
		case "-le":
			return x <= y, nil
		case "-gt":
			return x > y, nil
		case "-ge":
			return x >= y, nil
		}
	}
	return false, fmt.Errorf("unexpected operator")
}

func (c *Call) holdsOf(op, arg string) (bool, error) {
	switch op {
	case "-n":
		return arg != "", nil
	case "-z":
		return arg == "", nil
	case "-r":
		return c.Files.Access(arg, 4) == nil, nil
	case "-w":
		return c.Files.Access(arg, 2) == nil, nil
	case "-x":
		return c.Files.Access(arg, 1) == nil, nil
	case "-L", "-h":
		fi, err := c.Files.Lstat(arg)
		return err == nil && fi.Mode()&fs.ModeSymlink != 0, nil
	}
	fi, err := c.Files.Stat(arg)
	switch op {
	case "-e":
		return err == nil, nil
	case "-f":
		return err == nil && fi.Mode().IsRegular(), nil
	case "-d":
		return err == nil && fi.IsDir(), nil
	case "-s":
		return err == nil && fi.Size() > 0, nil
	case "-S":
		return err == nil && fi.Mode()&fs.ModeSocket != 0, nil
	}
	return false, fmt.Errorf("%s: unexpected operator", op)
}

// printf knows %s %d %b and the usual escapes, and repeats its format while arguments are left.
func printf(_ context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("missing operand")
	}
	args := c.Args[2:]
	for {
		before := len(args)
		var out []byte
		f := c.Args[1]
		for i := 0; i < len(f); i++ {
			switch {
			case f[i] == '\\' && i+1 < len(f):
				i++
				switch f[i] {
				case 'n':
					out = append(out, '\n')
				case 't':
					out = append(out, '\t')
				case '0':
					out = append(out, 0)
				default:
					out = append(out, f[i])
				}
			case f[i] == '%' && i+1 < len(f):
				i++
				if f[i] == '%' {
					out = append(out, '%')
					continue
				}
				if len(args) > 0 {
					out = append(out, args[0]...)
					args = args[1:]
				}
			default:
				out = append(out, f[i])
			}
		}
		fmt.Fprintf(c.Out, "%s", out)
		if len(args) == 0 || len(args) == before {
			return 0
		}
	}
}
