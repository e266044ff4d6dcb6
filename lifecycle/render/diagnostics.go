package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"kiban.dev/kiban/lifecycle"
)

var fileLine = regexp.MustCompile(`^(.+\.(?:ya?ml|json)):(\d+)$`)

// Diagnostics shows findings, one paragraph each:
//
//	Error: field maxUnavaliable is not known
//	  on overlays/tokyo-prod/site.yaml line 12
//	  The fields of spec.upgrade.workers are canary, failureDomain, maxUnavailable.
//	  Try: write maxUnavailable
func Diagnostics(w io.Writer, ds lifecycle.Diagnostics, style Style) error {
	var b strings.Builder
	for i, d := range ds {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(diagnostic(d, style))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func diagnostic(d lifecycle.Diagnostic, style Style) string {
	d.Summary, d.Detail, d.Hint, d.Subject = visible(d.Summary), visible(d.Detail), visible(d.Hint), visible(d.Subject)
	var b strings.Builder
	label, code := severity(d.Severity)
	fmt.Fprintf(&b, "%s %s\n", style.paint(code, label+":"), style.paint(codeBold, d.Summary))
	if d.Subject != "" {
		fmt.Fprintf(&b, "  on %s\n", subject(d.Subject))
	}
	for line := range strings.Lines(strings.TrimSpace(d.Detail)) {
		fmt.Fprintf(&b, "  %s\n", strings.TrimRight(line, "\n"))
	}
	for i, line := range strings.Split(strings.TrimSpace(d.Hint), "\n") {
		switch {
		case line == "":
		case i == 0:
			fmt.Fprintf(&b, "  %s %s\n", style.paint(codeCyan, "Try:"), line)
		default:
			fmt.Fprintf(&b, "       %s\n", line)
		}
	}
	return b.String()
}

// visible drops what steers a terminal: findings repeat what hosts, files and servers said.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

func severity(s lifecycle.Severity) (label, code string) {
	switch s {
	case lifecycle.SeverityWarning:
		return "Warning", codeYellow
	case lifecycle.SeverityBlocked:
		return "Blocked", codeYellow
	}
	return "Error", codeRed
}

// subject says "overlays/x/site.yaml line 12" for a place in a file, else the subject itself.
func subject(s string) string {
	if m := fileLine.FindStringSubmatch(s); m != nil {
		return m[1] + " line " + m[2]
	}
	return s
}
