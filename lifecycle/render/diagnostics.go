package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"

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
		b.WriteString(DiagnosticText(d, style))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DiagnosticText is one finding of them.
func DiagnosticText(d lifecycle.Diagnostic, style Style) string {
	var b strings.Builder
	put := func(hang int, format string, args ...any) {
		for _, l := range wrapText(fmt.Sprintf(format, args...), hang, style.columns) {
			b.WriteString(l + "\n")
		}
	}
	put(2, "%s %s", style.paint(severityCode(d.Severity), SeverityLabel(d.Severity)+":"), style.paint(codeBold, d.Summary))
	if d.Subject != "" {
		put(5, "  on %s", Subject(d.Subject))
	}
	for line := range strings.Lines(strings.TrimSpace(d.Detail)) {
		line = strings.TrimRight(line, "\n")
		put(2+len(line)-len(strings.TrimLeft(line, " ")), "  %s", line)
	}
	for i, line := range strings.Split(strings.TrimSpace(d.Hint), "\n") {
		switch {
		case line == "":
		case i == 0:
			put(7, "  %s %s", style.paint(codeCyan, "Try:"), line)
		default:
			put(7, "       %s", line)
		}
	}
	return b.String()
}

// SeverityLabel begins a finding: "Error", "Warning", "Blocked".
func SeverityLabel(s lifecycle.Severity) string {
	switch s {
	case lifecycle.SeverityWarning:
		return "Warning"
	case lifecycle.SeverityBlocked:
		return "Blocked"
	}
	return "Error"
}

func severityCode(s lifecycle.Severity) string {
	if s == lifecycle.SeverityWarning || s == lifecycle.SeverityBlocked {
		return codeYellow
	}
	return codeRed
}

// Subject says "overlays/x/site.yaml line 12" for a place in a file, else the subject itself.
func Subject(s string) string {
	if m := fileLine.FindStringSubmatch(s); m != nil {
		return m[1] + " line " + m[2]
	}
	return s
}
