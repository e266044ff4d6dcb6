package render

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Watching is how something is shown over and over, redrawn in place.
type Watching struct {
	// Every is the pause between two looks.
	Every time.Duration
	// Size gives the terminal's columns and rows; Style is that of the writer.
	Size  func() (width, height int)
	Style Style
	// Look writes what there is to see now. Its error stands below that, for what is watched comes and goes; only that of the first look ends
	// the watching when nothing was written.
	Look func(w io.Writer) error
}

// Watch shows what looks find on w until ctx ends, which is no error: nobody else ends it.
func Watch(ctx context.Context, w io.Writer, v Watching) error {
	for first := true; ctx.Err() == nil; first = false {
		var seen bytes.Buffer
		began := time.Now()
		err := v.Look(&seen)
		if ctx.Err() != nil {
			return nil
		}
		if first && err != nil && seen.Len() == 0 {
			return err
		}
		if err != nil {
			ds := lifecycle.AsDiagnostics(err, "it could not be looked at")
			seen.WriteByte('\n')
			_ = Diagnostics(&seen, ds, v.Style) // a buffer takes everything
		}
		width, height := v.Size()
		head := fmt.Sprintf("Every %s; this is of %s. Ctrl-C ends it.", v.Every, began.Format(time.TimeOnly))
		if err := v.draw(w, frame(head, seen.String(), width, height)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(v.Every):
		}
	}
	return nil
}

// draw puts lines in the place of all that the terminal shows, in one write so that it does not flicker.
func (v Watching) draw(w io.Writer, lines []string) error {
	clear := v.Style.raw("\x1b[K")
	_, err := io.WriteString(w, v.Style.raw("\x1b[H")+strings.Join(lines, clear+"\n")+clear+v.Style.raw("\x1b[J")+"\n")
	return err
}

// frame is text below a head, as lines that fit a terminal and leave a line for its cursor. What has no room is counted.
func frame(head, text string, width, height int) []string {
	lines := append(wrapColumns(head, 0, width), "")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, wrapColumns(line, hanging(4, width), width)...)
	}
	if room := height - 1; room > 0 && len(lines) > room {
		more := fmt.Sprintf("… and %d lines more: the terminal is too low for them", len(lines)-room+1)
		lines = append(lines[:room-1], clip(more, width))
	}
	return lines
}
