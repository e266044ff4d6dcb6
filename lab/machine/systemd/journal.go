package systemd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

// journal holds a unit's last lines. count is how many there ever were.
type journal struct {
	lines []entry
	count int
}

type entry struct {
	at     time.Time
	number int
	text   string
}

// cursor names an entry. Like systemd's it goes by the entry's number, which the clock has no part in.
func (e entry) cursor() string { return fmt.Sprintf("s=6b696261;i=%x", e.number) }

// numbered is the number in a cursor; 0 where it is none of this journal's.
func numbered(cursor string) int {
	digits, _ := strings.CutPrefix(cursor, "s=6b696261;i=")
	n, _ := strconv.ParseInt(digits, 16, 64)
	return int(n)
}

const journalLines = 200

type writer struct {
	m *Manager
	s *service
}

func (w writer) Write(p []byte) (int, error) {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	at := w.m.opts.Now().UTC()
	for _, l := range strings.Split(strings.TrimRight(string(p), "\n"), "\n") {
		w.s.journal.count++
		w.s.journal.lines = append(w.s.journal.lines, entry{at, w.s.journal.count, l})
	}
	if n := len(w.s.journal.lines); n > journalLines {
		w.s.journal.lines = append([]entry(nil), w.s.journal.lines[n-journalLines:]...)
	}
	return len(p), nil
}

// last are the last n lines of those that were asked for, all of them when n is negative.
func (j journal) last(o journalOptions) []entry {
	lines := slices.DeleteFunc(slices.Clone(j.lines), func(e entry) bool {
		return e.number < o.from || e.at.Before(o.since) || !o.until.IsZero() && e.at.After(o.until)
	})
	switch {
	case o.lines < 0:
		return lines
	case o.from > 0:
		return lines[:min(len(lines), o.lines)]
	}
	return lines[max(0, len(lines)-o.lines):]
}

// in is a line in one of journalctl's output formats. The machines' lines name no host.
func (e entry) in(format string) string {
	switch format {
	case "cat":
		return e.text
	case "short-iso":
		return e.at.Format("2006-01-02T15:04:05-0700") + " " + e.text
	}
	return e.at.Format("Jan 02 15:04:05") + " " + e.text
}

// Journalctl is the program: -u UNIT, -n COUNT, -o short, short-iso or cat, --since and --until @SECONDS, --cursor and --after-cursor, and
// --show-cursor.
func (m *Manager) Journalctl(_ context.Context, c *posix.Call) int {
	o, err := parseJournal(c.Args[1:])
	if err == nil && o.unit == "" {
		err = fmt.Errorf("the whole journal is not in the lab, name a unit")
	}
	if err != nil {
		fmt.Fprintf(c.Err, "journalctl: %v\n", err)
		return 1
	}
	s, _ := m.look(o.unit)
	lines := s.journal.last(o)
	if len(lines) == 0 && o.lines != 0 && !o.quiet {
		fmt.Fprintln(c.Out, "-- No entries --")
	}
	for _, e := range lines {
		fmt.Fprintln(c.Out, e.in(o.format))
	}
	if o.showCursor && len(lines) > 0 {
		fmt.Fprintln(c.Out, "-- cursor: "+lines[len(lines)-1].cursor())
	}
	return 0
}
