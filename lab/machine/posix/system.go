package posix

import (
	"context"
	"io"
	"io/fs"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// Program is an executable of the machine. It returns its exit status.
type Program func(ctx context.Context, c *Call) int

// System is what a shell needs of the machine it runs on.
type System struct {
	Disk     *disk.Disk
	Hostname func() string
	// Address is the machine's IPv4 address on its one network card.
	Address string
	// Hardware is what it is made of.
	Hardware Hardware
	// Now is the machine's clock.
	Now func() time.Time
	// Booted is when the machine was switched on.
	Booted func() time.Time
	// Users are the accounts, root among them.
	Users map[string]disk.User
	// Sudo reports whether a user may become root without a password.
	Sudo func(user string) bool
	// Programs are the executables of /usr/bin beyond the ordinary ones, by name.
	Programs map[string]Program
	// Interpreter finds the program behind a script by its path and first line ("#!" taken off); nil without an error when it
	// knows none.
	Interpreter func(path, line string) (Program, error)
	// Intercept may answer for a program before it runs, or hold it; done=false lets it run. sudo, sh and env are not asked about.
	Intercept func(ctx context.Context, c *Call) (status int, done bool)
	// Scripts keeps scripts that were read already, for all machines that share it; nil: each is read anew.
	Scripts *Scripts
	// Processes lists what `pgrep` may find.
	Processes func() []Process
	// Kill ends a process.
	Kill func(pid int) bool
	// Changed hears of every change a command makes to the disk.
	Changed func(c *Call, change disk.Change)
}

// Process is a running program of the machine.
type Process struct {
	PID     int
	Command string
}

// Call is one execution of a program.
type Call struct {
	// Args are the program's name and its arguments, as argv is.
	Args []string
	// Path is the file that was executed.
	Path string
	Env  []string
	Dir  string
	In   io.Reader
	Out  io.Writer
	Err  io.Writer
	User disk.User
	// Files is the disk as the user sees it from Dir.
	Files disk.View
	// System is the machine.
	System *System

	session *session
	// inShell: the program is the shell's own.
	inShell bool
	// functions are those that the script declares.
	functions map[string]bool
	// scriptName is $0 of the script that runs.
	scriptName string
}

// session is what the processes of one login share.
type session struct {
	umask fs.FileMode
	// command is what was sent, for the record of changes.
	command string
}

// Getenv is a variable of the call's environment, "" when unset.
func (c *Call) Getenv(name string) string {
	for i := len(c.Env) - 1; i >= 0; i-- {
		if k, v, ok := cut(c.Env[i]); ok && k == name {
			return v
		}
	}
	return ""
}

// Command is the whole command line that led to this call.
func (c *Call) Command() string { return c.session.command }

// with is a call of another program with the same surroundings.
func (c *Call) with(args []string) *Call {
	n := *c
	n.Args = args
	return &n
}

// as is the call under another user.
func (c *Call) as(u disk.User) *Call {
	n := *c
	n.User = u
	n.Files = c.System.view(&n)
	return &n
}

func (s *System) view(c *Call) disk.View {
	return s.Disk.As(c.User, func(ch disk.Change) {
		if s.Changed != nil {
			s.Changed(c, ch)
		}
	}).In(c.Dir).WithUmask(c.session.umask).Forgetful()
}

func cut(s string) (string, string, bool) {
	for i := range s {
		if s[i] == '=' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
