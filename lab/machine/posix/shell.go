package posix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"kiban.dev/kiban/lab/machine/disk"
)

// secure is sudo's PATH; login gets the one of sshd.
const (
	rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	userPath = "/usr/local/bin:/usr/bin:/bin:/usr/games"
)

// Login runs a command line as sshd runs it for a user, and returns its exit status.
func (s *System) Login(ctx context.Context, user, command string, in io.Reader, out, errs io.Writer) int {
	u, ok := s.Users[user]
	if !ok {
		fmt.Fprintf(errs, "unknown user %s\n", user)
		return 255
	}
	path := userPath
	if u.UID == 0 {
		path = rootPath
	}
	told := inTurns{Writer: out, turns: new(sync.Mutex)}
	complained := told
	if errs != out {
		complained = inTurns{Writer: errs, turns: new(sync.Mutex)} // a reader may leave one of them full for a while
	}
	c := &Call{
		Args: []string{"sh", "-c", command}, Path: "/bin/sh", Dir: u.Home, In: in, Out: told, Err: complained, User: u, System: s,
		Env:     []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=/bin/sh", "PATH=" + path, "LANG=C.UTF-8"},
		session: &session{umask: 0o022, command: command},
	}
	c.Files = s.view(c)
	return c.script(ctx, command, nil)
}

// inTurns lets one write at a time through, as the kernel does for a file: all parts of a pipeline have the same standard error, and run
// at once.
type inTurns struct {
	io.Writer
	turns *sync.Mutex
}

func (w inTurns) Write(p []byte) (int, error) {
	w.turns.Lock()
	defer w.turns.Unlock()
	return w.Writer.Write(p)
}

// maskName is the shell variable that holds the mask. As a variable it belongs to the subshell that sets it, as a process's mask does.
const maskName = "LAB_UMASK"

// mask is the mask for new files where the shell is.
func (c *Call) mask(ctx context.Context) fs.FileMode {
	if m, ok := octal(interp.HandlerCtx(ctx).Env.Get(maskName).String()); ok {
		return m
	}
	return c.session.umask
}

// setMask is a command that the shell runs to set its mask; nil when it is no mask.
func (c *Call) setMask(ctx context.Context, text string) []string {
	m, ok := octal(text)
	if !ok {
		allowed, err := parseMode(text, 0o777&^c.mask(ctx), 0)
		if err != nil || text == "" || isDigit(text[0]) {
			return nil
		}
		m = 0o777 &^ allowed
	}
	return []string{"eval", fmt.Sprintf("%s=%o", maskName, m)}
}

// script runs shell text with positional parameters.
func (c *Call) script(ctx context.Context, text string, params []string) int {
	s, err := c.System.Scripts.parse(text)
	if err != nil {
		fmt.Fprintf(c.Err, "sh: %v\n", err)
		return 2
	}
	f := *s.file
	f.Name = cmp.Or(c.scriptName, "sh")
	c = c.with(c.Args)
	c.functions = s.functions
	r, err := interp.New(
		interp.StdIO(c.In, c.Out, c.Err),
		interp.Env(expand.ListEnviron(c.Env...)),
		interp.Dir("/"),
		interp.Params(append([]string{"--"}, params...)...),
		interp.CallHandler(c.callHandler),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return c.execHandler }),
		interp.OpenHandler(c.openHandler),
		interp.StatHandler(func(ctx context.Context, p string, follow bool) (fs.FileInfo, error) {
			if follow {
				return c.view(ctx).Stat(p)
			}
			return c.view(ctx).Lstat(p)
		}),
		interp.AccessHandler(func(ctx context.Context, p string, mode interp.AccessMode) error {
			return c.view(ctx).Access(p, fs.FileMode(mode))
		}),
		interp.ReadDirHandler2(c.readDirHandler),
	)
	if err != nil {
		fmt.Fprintf(c.Err, "sh: %v\n", err)
		return 2
	}
	if c.Getenv("HOME") == "" { // the interpreter would take the home of whoever runs the lab
		unset, err := parseScript("unset HOME")
		if err == nil {
			err = r.Run(ctx, unset)
		}
		if err != nil {
			fmt.Fprintf(c.Err, "sh: %v\n", err)
			return 2
		}
	}
	if c.Dir != "/" { // the interpreter's own option looks for the folder on the real file system
		cd, err := syntax.Quote(c.Dir, syntax.LangPOSIX)
		if err == nil {
			var enter *syntax.File
			if enter, err = parseScript("cd " + cd + " 2>/dev/null"); err == nil {
				err = r.Run(ctx, enter)
			}
		}
		var status interp.ExitStatus
		if err != nil && !errors.As(err, &status) { // a folder that cannot be entered leaves the shell in /
			fmt.Fprintf(c.Err, "sh: %v\n", err)
			return 2
		}
	}
	err = r.Run(ctx, &f)
	var status interp.ExitStatus
	switch {
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil:
		return 129 // the session hung up
	case err != nil:
		fmt.Fprintf(c.Err, "sh: %v\n", err)
		return 2
	}
	return 0
}

// parseScript reads shell text as a plain POSIX sh does. The interpreter knows `export` only as bash parses it, so the text is parsed
// twice, and what only bash has is refused.
func parseScript(text string) (*syntax.File, error) {
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "sh"); err != nil {
		return nil, err
	}
	f, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "sh")
	if err != nil {
		return nil, err
	}
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.TestClause:
			err = fmt.Errorf("%d: [[: not found", n.Pos().Line())
		case *syntax.ArithmCmd, *syntax.LetClause, *syntax.ProcSubst, *syntax.CoprocClause, *syntax.ArrayExpr:
			err = fmt.Errorf("%d: Syntax error: not a POSIX shell construct", n.Pos().Line())
		case *syntax.DeclClause:
			switch n.Variant.Value {
			case "export", "readonly", "local":
			default:
				err = fmt.Errorf("%d: %s: not found", n.Pos().Line(), n.Variant.Value)
			}
		}
		return err == nil
	})
	if err == nil {
		plain(f)
	}
	return f, err
}

// view is the disk from the shell's current directory.
func (c *Call) view(ctx context.Context) disk.View {
	return c.Files.In(interp.HandlerCtx(ctx).Dir).WithUmask(c.mask(ctx))
}

func (c *Call) openHandler(ctx context.Context, p string, flags int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	if p == "/dev/stdin" && hc.Stdin != nil {
		return stream{Reader: hc.Stdin}, nil
	}
	f, err := c.view(ctx).Open(p, flags, 0o666)
	if plain, ok := f.(interface{ Plain() *os.File }); ok && err == nil && flags&(os.O_WRONLY|os.O_RDWR) == 0 {
		return plain.Plain(), nil // the shell hands it on as it is: who reads it can tell that it is a file, and leaves what it does not read
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			return nil, &os.PathError{Op: "open", Path: p, Err: pe.Err} // the shell tells this kind from fatal ones
		}
		return nil, err
	}
	return f, nil
}

func (c *Call) readDirHandler(ctx context.Context, p string) ([]fs.DirEntry, error) {
	return c.view(ctx).Entries(p)
}

// callHandler turns the builtins that would look at the real machine's PATH into programs of ours, and keeps the shell to what
// a plain POSIX sh has.
func (c *Call) callHandler(ctx context.Context, args []string) ([]string, error) {
	switch args[0] {
	case "command", "type", "hash":
		if len(args) > 1 && (args[0] != "command" || args[1] == "-v" || args[1] == "-V") {
			return append([]string{"shell-lookup", args[0]}, args[1:]...), nil
		}
	case "umask":
		if len(args) > 1 {
			if set := c.setMask(ctx, args[1]); set != nil {
				return set, nil
			}
		}
		return append([]string{"shell-umask"}, args[1:]...), nil
	case "kill", "echo", "printf", "test", "[":
		return append([]string{"shell-" + args[0]}, args[1:]...), nil
	case "trap":
		for i, a := range args {
			if i > 1 && a == "0" {
				args[i] = "EXIT"
			}
		}
	case "set":
		if slices.Contains(args, "-C") || slices.Contains(args, "noclobber") {
			return []string{"shell-missing", "set -C"}, nil
		}
	case "source", "pushd", "popd", "dirs", "shopt", "mapfile", "readarray", "help", "builtin":
		return append([]string{"shell-missing"}, args...), nil
	}
	return args, nil
}

// execHandler runs what is neither a function nor a builtin.
func (c *Call) execHandler(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	n := c.with(args)
	n.Dir, n.In, n.Out, n.Err, n.Env = hc.Dir, hc.Stdin, hc.Stdout, hc.Stderr, nil
	if n.In == nil {
		n.In = strings.NewReader("")
	}
	if inShell := args[0] == "shell-printf" || args[0] == "shell-test" || args[0] == "shell-["; !inShell { // those ask no variable
		hc.Env.Each(func(name string, v expand.Variable) bool {
			if v.Exported {
				n.Env = append(n.Env, name+"="+v.String())
			}
			return true
		})
	}
	n.session = &session{umask: c.mask(ctx), command: c.session.command}
	n.Files = c.System.view(n)
	if status := n.Run(ctx); status != 0 {
		return interp.ExitStatus(uint8(status))
	}
	return nil
}

// stream is standard input opened by its name.
type stream struct{ io.Reader }

func (stream) Write([]byte) (int, error) { return 0, os.ErrPermission }
func (stream) Close() error              { return nil }
