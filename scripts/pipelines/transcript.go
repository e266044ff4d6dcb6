package main

import (
	"fmt"
	"io"
	"time"
)

// transcript tells what is tried: a line a step, with how it went and how long it took.
type transcript struct {
	w             io.Writer
	began         time.Time
	passed, total int
}

// act begins a part of the story.
func (t *transcript) act(title string) { fmt.Fprintf(t.w, "\n%s\n", title) }

// step runs one step. What it gives beside an error is said on its line.
func (t *transcript) step(title string, do func() (string, error)) error {
	began := time.Now()
	said, err := do()
	took := time.Since(began).Round(100 * time.Millisecond)
	t.total++
	verdict := "ok"
	if err != nil {
		verdict = "FAILED"
	} else {
		t.passed++
	}
	fmt.Fprintf(t.w, "  %-6s %7s  %s\n", verdict, took, title)
	if said != "" {
		fmt.Fprintf(t.w, "  %-6s %7s    %s\n", "", "", said)
	}
	return err
}

// end counts, in the form in which test runners do.
func (t *transcript) end() {
	fmt.Fprintf(t.w, "\nTried in %s.\n%d passed, %d failed\n", time.Since(t.began).Round(time.Second), t.passed, t.total-t.passed)
}
