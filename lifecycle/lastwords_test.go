package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLastWords: of a log the errors are shown, each once and with its time; where there is none, its last lines. However much a machine
// says, what is shown is bounded.
func TestLastWords(t *testing.T) {
	at := func(second int, text string) string {
		return fmt.Sprintf("2026-11-30T05:00:%02d+0000 c1 k0s[%d]: %s", second, 100+second, text)
	}
	loop := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, at(i%60, fmt.Sprintf(`time="2026" level=info msg="Starting" component=etcd pid=%d`, i)),
				at(i%60, fmt.Sprintf(`time="2026" level=error msg="unknown flag: --nonsense" pid=%d`, i)))
		}
		return lines
	}
	var many []string
	for i := range 20 {
		many = append(many, at(i, "Error: cause "+strings.Repeat("x", i+1)))
	}
	for name, c := range map[string]struct {
		lines, want []string
		count       int
	}{
		"nothing": {},
		"no error": {lines: []string{at(1, "a"), at(2, "b"), at(3, "c"), at(4, "d")},
			want: []string{"00:02+0000 b", "00:03+0000 c", "00:04+0000 d"}},
		"the same often": {lines: loop(50), want: []string{`00:49+0000 time="2026" level=error`}},
		"oldest first": {lines: []string{at(1, "F1130 05:00:01.1 1 a.go:1] no"), at(2, "fine"), at(3, "Error: unknown flag: --x")},
			want: []string{"00:01+0000 F1130", "00:03+0000 Error: unknown flag"}},
		"systemd's": {lines: []string{"2026-11-30T05:00:01+0000 c1 systemd[1]: k0scontroller.service: Main process exited, code=exited",
			at(2, "fine")}, want: []string{"Main process exited"}},
		"a name of a program is no error": {lines: []string{"2026-11-30T05:00:01+0000 c1 error-reporter[1]: all is well", at(2, "b"),
			at(3, "c"), at(4, "d")}, want: []string{" b", " c", " d"}},
		"without a machine's name": {lines: []string{"2026-11-30T05:00:01+0000 k0s[7]: Error: no"}, want: []string{"00:01+0000 Error: no"}},
		"many causes":              {lines: many, count: mostWords},
		"a line without end":       {lines: []string{at(1, "Error: "+strings.Repeat("ä", 5000))}, count: 1},
	} {
		got := LastWords(c.lines)
		if c.count == 0 {
			c.count = len(c.want)
		}
		if len(got) != c.count {
			t.Errorf("%s: %d lines: %q", name, len(got), got)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) || strings.Contains(got[i], "c1") {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
		if slices.ContainsFunc(got, func(l string) bool { return len(l) > mostOfALine+3 || !utf8.ValidString(l) }) {
			t.Errorf("%s: too long, or cut within a letter: %q", name, got)
		}
	}
}
