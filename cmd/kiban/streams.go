package main

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

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
	// Signals brings interrupts. Nil: none ever come.
	Signals <-chan os.Signal
}

func systemStreams() Streams {
	isTerminal := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Size: func() (int, int) {
			w, h, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil || w <= 0 || h <= 0 {
				return 80, 24
			}
			return w, h
		},
		Getenv:  os.Getenv,
		Signals: signals,
	}
}

// outStyle and errStyle say what may be shown on each.
func (s Streams) outStyle() render.Style { return render.Style{Color: s.color(s.OutTTY)} }
func (s Streams) errStyle() render.Style { return render.Style{Color: s.color(s.ErrTTY || s.gitlab())} }

// color follows no-color.org: NO_COLOR set to anything forbids it.
func (s Streams) color(tty bool) bool {
	return tty && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// gitlab reports whether this is a GitLab job, whose log folds sections and shows colours.
func (s Streams) gitlab() bool { return s.Getenv("GITLAB_CI") == "true" }

// live reports whether progress may be redrawn in place.
func (s Streams) live() bool { return s.ErrTTY && !s.gitlab() && s.Getenv("TERM") != "dumb" }

// lockedWriter lets several goroutines write: a run, its progress, and the one that hears interrupts.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
