package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// test is the shell's test and [, and the programs of that name (sudo test, xargs test, env [).
func test(_ context.Context, c *Call) int {
	a := c.Args[1:]
	if c.name() == "[" {
		if len(a) == 0 || a[len(a)-1] != "]" {
			fmt.Fprintln(c.Err, "[: missing ]")
			return 2
		}
		a = a[:len(a)-1]
	}
	return c.test(a)
}

func (c *Call) test(a []string) int {
	ok, err := c.condition(a)
	switch {
	case err != nil:
		fmt.Fprintf(c.Err, "%s: %v\n", c.name(), err)
		return 2
	case ok:
		return 0
	}
	return 1
}

// condition goes by the number of words, as POSIX has it, and beyond four by the grammar of -o, -a and !.
func (c *Call) condition(a []string) (bool, error) {
	switch len(a) {
	case 0:
		return false, nil
	case 1:
		return a[0] != "", nil
	case 2:
		if a[0] == "!" {
			return a[1] == "", nil
		}
	case 3:
		if c.binaryTest(a[1]) {
			return c.compare(a[0], a[1], a[2])
		}
		if a[0] == "!" {
			ok, err := c.condition(a[1:])
			return !ok, err
		}
		if a[0] == "(" && a[2] == ")" {
			return a[1] != "", nil
		}
	case 4:
		if a[0] == "!" {
			ok, err := c.condition(a[1:])
			return !ok, err
		}
		if a[0] == "(" && a[3] == ")" {
			return c.condition(a[1:3])
		}
	}
	e := &testExpression{Call: c, words: a}
	ok, err := e.or()
	if err == nil && len(e.words) > 0 {
		err = fmt.Errorf("%s: unexpected operator", e.words[0])
	}
	return ok, err
}

type testExpression struct {
	*Call
	words []string
}

func (e *testExpression) next(w string) bool {
	if len(e.words) > 0 && e.words[0] == w {
		e.words = e.words[1:]
		return true
	}
	return false
}

func (e *testExpression) or() (bool, error) {
	ok, err := e.and()
	for err == nil && e.next("-o") {
		var right bool
		right, err = e.and()
		ok = ok || right
	}
	return ok, err
}

func (e *testExpression) and() (bool, error) {
	ok, err := e.primary()
	for err == nil && e.next("-a") {
		var right bool
		right, err = e.primary()
		ok = ok && right
	}
	return ok, err
}

func (e *testExpression) primary() (bool, error) {
	if len(e.words) == 0 {
		return false, errors.New("argument expected")
	}
	if len(e.words) >= 3 && e.binaryTest(e.words[1]) {
		a := e.words
		e.words = a[3:]
		return e.compare(a[0], a[1], a[2])
	}
	switch w := e.words[0]; {
	case w == "!":
		e.words = e.words[1:]
		ok, err := e.primary()
		return !ok, err
	case w == "(":
		e.words = e.words[1:]
		ok, err := e.or()
		if err == nil && !e.next(")") {
			err = errors.New("closing paren expected")
		}
		return ok, err
	case len(e.words) >= 2 && len(w) == 2 && w[0] == '-':
		a := e.words
		e.words = a[2:]
		return e.holdsOf(w, a[1])
	}
	w := e.words[0]
	e.words = e.words[1:]
	return w != "", nil
}

// binaryTest reports whether a word compares those beside it. The program has "==", and the shell "<" and ">".
func (c *Call) binaryTest(op string) bool {
	switch op {
	case "==":
		return !c.inShell
	case "<", ">":
		return c.inShell
	case "=", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

func (c *Call) compare(a, op, b string) (bool, error) {
	switch op {
	case "=", "==":
		return a == b, nil
	case "<":
		return a < b, nil
	case ">":
		return a > b, nil
	case "!=":
		return a != b, nil
	case "-nt", "-ot", "-ef":
		return c.compareFiles(a, op, b), nil
	}
	x, err := integer(a)
	if err != nil {
		return false, err
	}
	y, err := integer(b)
	if err != nil {
		return false, err
	}
	switch op {
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
	}
	return x >= y, nil
}

func integer(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("Illegal number: %s", s)
	}
	return n, nil
}

func (c *Call) compareFiles(a, op, b string) bool {
	x, xerr := c.Files.Stat(a)
	y, yerr := c.Files.Stat(b)
	if xerr != nil || yerr != nil {
		return op == "-nt" && xerr == nil || op == "-ot" && yerr == nil
	}
	switch op {
	case "-nt":
		return x.ModTime().After(y.ModTime())
	case "-ot":
		return x.ModTime().Before(y.ModTime())
	}
	return os.SameFile(x.FileInfo, y.FileInfo)
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
	case "-t":
		_, err := integer(arg)
		return false, err // no session here has a terminal
	case "-L", "-h":
		fi, err := c.Files.Lstat(arg)
		return err == nil && fi.Mode()&fs.ModeSymlink != 0, nil
	}
	fi, err := c.Files.Stat(arg)
	mode := fs.FileMode(0)
	if err == nil {
		mode = fi.Mode()
	}
	switch op {
	case "-e":
		return err == nil, nil
	case "-f":
		return err == nil && mode.IsRegular(), nil
	case "-d":
		return mode.IsDir(), nil
	case "-s":
		return err == nil && fi.Size() > 0, nil
	case "-S":
		return mode&fs.ModeSocket != 0, nil
	case "-p":
		return mode&fs.ModeNamedPipe != 0, nil
	case "-b":
		return mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0, nil
	case "-c":
		return mode&fs.ModeCharDevice != 0, nil
	case "-u":
		return mode&fs.ModeSetuid != 0, nil
	case "-g":
		return mode&fs.ModeSetgid != 0, nil
	case "-k":
		return mode&fs.ModeSticky != 0, nil
	case "-O":
		return err == nil && fi.UID() == c.User.UID, nil
	case "-G":
		return err == nil && fi.GID() == c.User.GID, nil
	}
	return false, fmt.Errorf("%s: unexpected operator", op)
}
