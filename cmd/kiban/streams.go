package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"

	"kiban.dev/kiban/lifecycle/render"
)

// Streams is the world outside: what a verb reads, writes and is told. Tests bring their own.
type Streams struct {
	In io.Reader
	// Out carries the result and nothing else; Err carries progress, questions and findings.
	Out io.Writer
	Err io.Writer
	// InTTY, OutTTY and ErrTTY say which of them are terminals; Size gives the terminal's columns and rows.
	InTTY, OutTTY, ErrTTY bool
	Size                  func() (width, height int)
	Getenv                func(string) string
	// Name is what the program was called as.
	Name string
	// Signals brings interrupts. Nil: none ever come.
	Signals <-chan os.Signal
	// Leave ends the process with a code, when a verb does not end by itself. Nil: nothing does.
	Leave func(code int)

	// out and err are Out and Err, once they are cleaned. data is for documents that programs read as they are; on a terminal it is Out.
	out, err *render.Writer
	data     io.Writer
	// events is Err, where a program reads what is told; else nil.
	events *render.EventLines
}

func systemStreams() Streams {
	isTerminal := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Size: func() (int, int) {
			for _, f := range [...]*os.File{os.Stderr, os.Stdout} {
				if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
					return w, h
				}
			}
			return 80, 24
		},
		Getenv:  os.Getenv,
		Name:    filepath.Base(os.Args[0]),
		Signals: spaced(signals, apart),
		Leave:   os.Exit,
	}
}

// apart is how far two interrupts are from one another at least. Whoever ends a program in its process group, as timeout(1) does, sends it
// the signal twice at once, and means it once: else an apply would not finish the steps in hand, and a lab would leave its files. Nobody
// presses Ctrl-C twice that fast.
const apart = 50 * time.Millisecond

// spaced gives signals on, and of those that come at once the first alone.
func spaced(signals <-chan os.Signal, apart time.Duration) <-chan os.Signal {
	out := make(chan os.Signal)
	go func() {
		var last time.Time
		for s := range signals {
			if now := time.Now(); now.Sub(last) >= apart {
				last = now
				out <- s
			}
		}
		close(out)
	}()
	return out
}

// cleaned are the streams that verbs write to: through writers that let no foreign text steer what shows it.
func (s Streams) cleaned() Streams {
	s.data = s.Out
	s.out, s.err = render.NewWriter(s.Out), render.NewWriter(s.Err)
	s.Out, s.Err = s.out, s.err
	if s.OutTTY {
		s.data = s.Out
	}
	return s
}

// leave ends the process as interrupted, if anything may.
func (s Streams) leave() {
	if s.Leave != nil {
		s.Leave(exitInterrupted)
	}
}

// flush writes what an unfinished character holds back.
func (s Streams) flush() { _ = errors.Join(s.out.Flush(), s.err.Flush()) }

// outStyle and errStyle say what may be shown on each.
func (s Streams) outStyle() render.Style {
	return s.out.Style(s.color(s.OutTTY)).Within(s.width(s.OutTTY))
}
func (s Streams) errStyle() render.Style {
	return s.err.Style(s.color(s.ErrTTY || s.gitlab())).Within(s.width(s.ErrTTY))
}

// color follows no-color.org: NO_COLOR set to anything forbids it.
func (s Streams) color(tty bool) bool {
	return tty && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// gitlab reports whether this is a GitLab job, whose log folds sections and shows colours.
func (s Streams) gitlab() bool { return s.Getenv("GITLAB_CI") == "true" }

// inJob reports whether a pipeline runs this: CI is set by all of them.
func (s Streams) inJob() bool { return s.gitlab() || s.Getenv("CI") == "true" }

// live reports whether progress may be redrawn in place.
func (s Streams) live() bool { return s.ErrTTY && !s.gitlab() && s.Getenv("TERM") != "dumb" }

// runProgram runs a program at kiban's own terminal, to its end. An interrupt is for it to act upon.
func runProgram(_ context.Context, name string, args []string) (code int, err error) {
	c := exec.Command(name, args...) //nolint:noctx // the terminal sends interrupts to it, too
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err = c.Run(); err == nil {
		return 0, nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// widestText is how long a line of running text may be where nobody says how wide the terminal is.
const widestText = 110

// columns is how wide running text on Out may be.
func (s Streams) columns() int { return cmp.Or(s.width(s.OutTTY), widestText) }

// width is how wide lines may be: as wide as the terminal, or as COLUMNS says where there is none; 0: nobody says.
func (s Streams) width(tty bool) int {
	if tty {
		w, _ := s.Size()
		return w
	}
	w, _ := strconv.Atoi(s.Getenv("COLUMNS")) // anything but a number says nothing
	return max(0, w)
}
