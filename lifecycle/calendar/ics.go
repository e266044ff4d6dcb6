package calendar

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

// ICS writes the dates as a calendar that mail and calendar programs take (RFC 5545): for each site the last day for the first merge
// request, with a reminder two weeks before, and the end of support. An entry has the same UID whenever it is written, so that a program
// that has it already moves it.
func (c Calendar) ICS(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(folded(fmt.Sprintf(format, args...))) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//kiban.dev//kiban//EN")
	line("CALSCALE:GREGORIAN")
	line("METHOD:PUBLISH")
	for _, e := range c.Entries {
		if e.OpenBy.IsZero() {
			continue
		}
		event := func(kind string, at, summary, description string, remind bool) {
			line("BEGIN:VEVENT")
			line("UID:%s-%s-%s@kiban.dev", e.Site, e.Runs, kind)
			line("DTSTAMP:%s", c.Made.UTC().Format("20060102T150405Z"))
			line("DTSTART;VALUE=DATE:%s", at)
			line("SUMMARY:%s", escaped(summary))
			line("DESCRIPTION:%s", escaped(description))
			line("TRANSP:TRANSPARENT")
			if remind {
				line("BEGIN:VALARM")
				line("ACTION:DISPLAY")
				line("DESCRIPTION:%s", escaped(summary))
				line("TRIGGER:-P14D")
				line("END:VALARM")
			}
			line("END:VEVENT")
		}
		event("open", e.OpenBy.Format("20060102"), fmt.Sprintf("%s: open the merge request to Kubernetes %s today at the latest", e.First,
			e.Target),
			e.fact()+".\n"+strings.Join(e.Assumed, "\n"), true)
		event("ends", e.Ends.Format("20060102"), fmt.Sprintf("%s: Kubernetes %s gets no more patches", e.Site, e.Runs), e.fact()+".", false)
	}
	line("END:VCALENDAR")
	_, err := io.WriteString(w, b.String())
	return err
}

// escaped is text as a value of RFC 5545, section 3.3.11. Control characters have no place in it.
func escaped(s string) string {
	s = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`).Replace(s)
	return strings.Map(func(r rune) rune {
		if lifecycle.Misleads(r) {
			return -1
		}
		return r
	}, s)
}

// folded is a line of at most 75 bytes, and what is more on lines behind it that begin with a blank (section 3.1). A character is not cut.
func folded(s string) string {
	const most = 75
	var b strings.Builder
	for room := most; len(s) > room; room = most - 1 {
		n := room
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n] + "\r\n ")
		s = s[n:]
	}
	b.WriteString(s + "\r\n")
	return b.String()
}
