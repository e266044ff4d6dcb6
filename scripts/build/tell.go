package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"
)

const (
	// perPackage is what compiling one package takes one processor, on the average over those of kiban and the lab (docs/performance.md).
	perPackage = 200 * time.Millisecond
	// logEvery is how often progress is told where lines can't be written over.
	logEvery = 15 * time.Second
	// drawEvery is how often it is on a terminal.
	drawEvery = 200 * time.Millisecond
	// foretold is the share of the packages, one in so many, after which their pace says how long the rest will take.
	foretold = 10
)

// teller writes how far a build is. It is silent until it was told that there is much to do.
type teller struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	began    time.Time

	total int // packages to compile; zero while that is little or unknown
	last  time.Time
	text  string    // what was shown last
	from  time.Time // when compiling was announced
	drawn bool      // a line on the terminal waits to be written over
}

func newTeller(out io.Writer, terminal bool) *teller {
	return &teller{out: out, terminal: terminal, now: time.Now, began: time.Now()}
}

// fetching announces that modules are to be fetched.
func (t *teller) fetching(modules int) {
	fmt.Fprintf(t.out, "This machine lacks %s of the Go modules that are needed. They are fetched first, then compiled: "+
		"some minutes in all, the first time only.\n",
		grouped(modules))
	t.last = t.now()
}

func (t *teller) fetched(modules, of int) {
	t.progress(fmt.Sprintf("fetched %s of %s modules", grouped(modules), grouped(of)), modules == of)
}

// compiling announces how many packages are to be compiled.
func (t *teller) compiling(packages int) {
	t.end()
	t.total, t.from = packages, t.now()
	fmt.Fprintf(t.out, "%s packages are to be compiled, most of them Kubernetes: %s on %s. Go keeps them; the next build takes seconds.\n",
		grouped(packages), roughly(time.Duration(packages)*perPackage/time.Duration(runtime.GOMAXPROCS(0))), processors(runtime.GOMAXPROCS(0)))
	t.last = t.now()
}

func (t *teller) compiled(packages int) {
	if t.total == 0 {
		return
	}
	text := fmt.Sprintf("compiled %s of %s packages", grouped(packages), grouped(max(t.total, packages)))
	switch spent := t.now().Sub(t.from); {
	case packages >= t.total:
		text += ", linking"
	case packages >= t.total/foretold: // the machine's own speed is known by now
		text += fmt.Sprintf(", %s to go", roughly(spent*time.Duration(t.total-packages)/time.Duration(packages)))
	}
	t.progress(text, packages == t.total)
}

// progress shows a line, unless the one before it is too young. What is last is always shown.
func (t *teller) progress(text string, last bool) {
	every := logEvery
	if t.terminal {
		every = drawEvery
	}
	if text == t.text || !last && t.now().Sub(t.last) < every {
		return
	}
	t.last, t.text = t.now(), text
	if !t.terminal {
		fmt.Fprintln(t.out, text)
		return
	}
	fmt.Fprintf(t.out, "\r\x1b[K%s", text)
	t.drawn = true
}

// pass hands on what go says.
func (t *teller) pass(line string) {
	t.end()
	fmt.Fprintln(t.out, line)
}

// end leaves the line that is written over.
func (t *teller) end() {
	if t.drawn {
		fmt.Fprintln(t.out)
		t.drawn = false
	}
}

// done says how long it took, if much was to be done.
func (t *teller) done(took time.Duration) {
	t.end()
	if t.total > 0 {
		fmt.Fprintf(t.out, "built in %s\n", took.Round(time.Second))
	}
}

func roughly(d time.Duration) string {
	switch minutes := int(d.Round(time.Minute) / time.Minute); minutes {
	case 0:
		return "less than a minute"
	case 1:
		return "about a minute"
	default:
		return fmt.Sprintf("about %d minutes", minutes)
	}
}

func processors(n int) string {
	if n == 1 {
		return "one processor"
	}
	return fmt.Sprintf("%d processors", n)
}

// grouped writes a number as people do: 1,830.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
