package posix

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// Run finds the program that the call names and runs it: 127 when there is none, 126 when it cannot be executed.
func (c *Call) Run(ctx context.Context) int {
	switch c.Args[0] { // what callHandler made of shell builtins
	case "shell-lookup":
		return c.lookup()
	case "shell-missing":
		fmt.Fprintf(c.Err, "sh: 1: %s: not found\n", c.Args[1])
		return 127
	case "shell-umask":
		return c.umask()
	case "shell-kill":
		return c.kill(2)
	case "shell-echo":
		return c.shellEcho()
	case "shell-printf":
		return c.printf(false)
	case "shell-test", "shell-[":
		c.Args[0], c.inShell = strings.TrimPrefix(c.Args[0], "shell-"), true
		return test(ctx, c)
	}
	p, err := c.find(c.Args[0])
	if err != nil {
		return c.cannot(err)
	}
	c.Path = p
	prog, err := c.program(p)
	if err != nil {
		return c.cannot(err)
	}
	switch c.name() {
	case "sudo", "sh", "env", "timeout", "nohup", "xargs":
	default:
		if c.System.Intercept != nil {
			if status, done := c.System.Intercept(ctx, c); done {
				return status
			}
		}
	}
	return prog(ctx, c)
}

func (c *Call) cannot(err error) int {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(c.Err, "sh: 1: %s: not found\n", c.Args[0])
		return 127
	case errors.Is(err, syscall.ENOEXEC):
		fmt.Fprintf(c.Err, "sh: 1: %s: cannot execute binary file: Exec format error\n", c.Args[0])
	default:
		fmt.Fprintf(c.Err, "sh: 1: %s: %s\n", c.Args[0], reason(err))
	}
	return 126
}

// find is the path of an executable: as given when it has a slash, else the first one in PATH.
func (c *Call) find(name string) (string, error) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join(c.Dir, name)
		}
		fi, err := c.Files.Stat(name)
		if err != nil {
			return "", err
		}
		if fi.IsDir() {
			return "", syscall.EACCES
		}
		return name, c.Files.Access(name, 1)
	}
	list := c.Getenv("PATH")
	if list == "" {
		list = rootPath
	}
	err := error(fs.ErrNotExist)
	for _, dir := range strings.Split(list, ":") {
		p := path.Join(dir, name)
		if fi, serr := c.Files.Stat(p); serr == nil && fi.Mode().IsRegular() {
			if aerr := c.Files.Access(p, 1); aerr == nil {
				return p, nil
			}
			err = fs.ErrPermission
		}
	}
	return "", err
}

// program is what a path's content means: one of ours in the system folders, a script by its first line, or nothing that can
// be executed.
func (c *Call) program(p string) (Program, error) {
	real, err := c.Files.Resolve(p)
	if err != nil {
		return nil, err
	}
	if path.Dir(real) == "/usr/bin" {
		if prog := c.System.builtin(path.Base(real)); prog != nil {
			return prog, nil
		}
	}
	f, err := c.System.Disk.As(c.System.Users["root"], nil).Open(real, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, _ := bufio.NewReaderSize(io.LimitReader(f, 256), 256).ReadBytes('\n')
	first, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		if bytes.IndexByte(line, 0) >= 0 || !utf8.Valid(line) || bytes.HasPrefix(line, []byte("\x7f")) {
			return nil, syscall.ENOEXEC
		}
		first = []byte("/bin/sh") // what is text without a first line of that kind, a shell takes for its own
	}
	inter := strings.TrimSpace(string(first))
	if c.System.Interpreter != nil {
		if prog, err := c.System.Interpreter(real, inter); prog != nil || err != nil {
			return prog, err
		}
	}
	name, arg, _ := strings.Cut(inter, " ")
	if _, err := c.find(name); err != nil || name == "" {
		return nil, fs.ErrNotExist
	}
	args := []string{name}
	if arg = strings.TrimSpace(arg); arg != "" {
		args = append(args, arg)
	}
	return func(ctx context.Context, c *Call) int {
		if strings.Contains(c.Args[0], "/") {
			p = c.Args[0] // the script learns its name as it was written
		}
		return c.with(append(append(args, p), c.Args[1:]...)).Run(ctx)
	}, nil
}

// builtin is a program of /usr/bin.
func (s *System) builtin(name string) Program {
	if p, ok := s.Programs[name]; ok {
		return p
	}
	return ordinary(name)
}

// lookup answers `command -v NAME`, `type NAME` and `hash NAME`.
func (c *Call) lookup() int {
	how, names := c.Args[1], c.Args[2:]
	if how == "command" && len(names) > 1 {
		how, names = how+names[0], names[1:2] // dash looks for the first
	}
	status := 0
	for _, n := range names {
		var text string
		where := n
		switch {
		case c.functions[n]:
			text = n + " is a shell function"
		case syntax.IsKeyword(n):
			text = n + " is a shell keyword"
		case shellBuiltin(n):
			text = n + " is a shell builtin"
		default:
			p, err := c.find(n)
			if err == nil {
				text, where = n+" is "+p, p
				break
			}
			status = 127
			switch how {
			case "hash":
				fmt.Fprintf(c.Err, "sh: 1: hash: %s: not found\n", n)
				status = 1
			case "type", "command-V":
				fmt.Fprintf(c.Out, "%s: not found\n", n)
			}
			continue
		}
		switch how {
		case "command-v":
			fmt.Fprintln(c.Out, where)
		case "type", "command-V":
			fmt.Fprintln(c.Out, text)
		}
	}
	return status
}

func shellBuiltin(n string) bool {
	switch n {
	case "cd", "echo", "printf", "test", "[", "set", "export", "read", "umask", "exit", "trap", "command", "eval", "exec", "shift", "unset",
		"wait", "true", "false", ":", ".", "type", "kill":
		return true
	}
	return false
}

// umask tells the mask, or why it cannot be set; callHandler sets it.
func (c *Call) umask() int {
	switch {
	case len(c.Args) == 1:
		fmt.Fprintf(c.Out, "%04o\n", c.session.umask)
		return 0
	case c.Args[1] == "-S":
		var classes []string
		for i, who := range []string{"u", "g", "o"} {
			rwx := strings.Trim((0o777 &^ c.session.umask).String()[1+3*i:4+3*i], "-")
			classes = append(classes, who+"="+strings.ReplaceAll(rwx, "-", ""))
		}
		fmt.Fprintln(c.Out, strings.Join(classes, ","))
		return 0
	}
	fmt.Fprintf(c.Err, "sh: 1: umask: Illegal mode: %s\n", c.Args[1])
	return 2
}

// reason is an error in the words of libc.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, syscall.EPERM):
		return "Operation not permitted"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	case errors.Is(err, fs.ErrExist):
		return "File exists"
	case errors.Is(err, syscall.ENOSPC):
		return "No space left on device"
	case errors.Is(err, syscall.ENOTDIR):
		return "Not a directory"
	case errors.Is(err, syscall.EISDIR):
		return "Is a directory"
	case errors.Is(err, syscall.ENOTEMPTY):
		return "Directory not empty"
	case errors.Is(err, syscall.ELOOP):
		return "Too many levels of symbolic links"
	}
	return err.Error()
}

// fail reports an error as GNU programs do and returns status 1.
func (c *Call) fail(err error) int {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return 128 + 13 // SIGPIPE ends a program without a word
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		fmt.Fprintf(c.Err, "%s: %s: %s\n", c.name(), pe.Path, reason(pe.Err))
	} else {
		fmt.Fprintf(c.Err, "%s: %s\n", c.name(), reason(err))
	}
	return 1
}

func (c *Call) name() string { return path.Base(c.Args[0]) }

// usage refuses arguments.
func (c *Call) usage(format string, a ...any) int {
	fmt.Fprintf(c.Err, "%s: %s\nTry '%s --help' for more information.\n", c.name(), fmt.Sprintf(format, a...), c.name())
	return 1
}

// check is fail for an error that may be nil.
func (c *Call) check(err error) int {
	if err != nil {
		return c.fail(err)
	}
	return 0
}
