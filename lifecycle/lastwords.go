package lifecycle

import (
	"regexp"
	"slices"
	"strings"
)

// What is shown of a log that is read to see why k0s does not come up.
const (
	mostWords     = 6   // lines
	mostOfALine   = 300 // bytes of each
	withoutErrors = 3   // the last lines, where none tells more than the others
)

var (
	// tellsWhy is what programs write when they give up: k0s's own log, klog's errors, systemd's, Go's and those of flags.
	tellsWhy = regexp.MustCompile(`\blevel=(error|fatal|panic)\b|\b[EF]\d{4} \d\d:\d\d:\d\d|(?i:\b(error|fatal|panic|unknown flag|` +
		`unrecognized|invalid|failed|failure|cannot|can't|could not|refus|denied|no such file|no space left|already in use|exit status)|` +
		`main process exited)`)
	// fromJournal is what journalctl puts before a line's own words: the time, the machine, the program and its process.
	fromJournal = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\S+) (?:[^\s:]+ [^\s:\[]+(?:\[\d+\])?|[^\s:\[]+\[\d+\]): `)
	numbers     = regexp.MustCompile(`\d+`)
)

// LastWords are those lines of a k0s's log, oldest first, that say most of why it does not come up: its errors, each once, the last ones;
// or else its last lines. They are bounded in number and in length. The lines are to be without control characters and secrets already.
func LastWords(lines []string) []string {
	var out []string
	said := map[string]bool{}
	for _, line := range slices.Backward(lines) {
		own := fromJournal.ReplaceAllString(line, "")
		if key := numbers.ReplaceAllString(own, "#"); tellsWhy.MatchString(own) && !said[key] && len(out) < mostWords {
			said[key] = true
			out = append(out, bounded(line))
		}
	}
	if len(out) == 0 {
		for _, line := range slices.Backward(lines[max(0, len(lines)-withoutErrors):]) {
			out = append(out, bounded(line))
		}
	}
	slices.Reverse(out)
	return out
}

// bounded is a line of a log with its time and its own words, as much of it as is shown.
func bounded(line string) string {
	line = fromJournal.ReplaceAllString(line, "$1 ")
	if len(line) <= mostOfALine {
		return line
	}
	return strings.ToValidUTF8(line[:mostOfALine], "") + "..."
}
