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
	fmt.Fprintf(&b, "%s %s\n", style.paint(severityCode(d.Severity), SeverityLabel(d.Severity)+":"), style.paint(codeBold, d.Summary))
	if d.Subject != "" {
		fmt.Fprintf(&b, "  on %s\n", Subject(d.Subject))
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
