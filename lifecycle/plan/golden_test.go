package plan

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// outline is a plan as a reviewer reads it in a golden file.
func outline(p lifecycle.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "target %s", p.Target)
	for _, h := range p.Hops {
		fmt.Fprintf(&b, " > %s", h)
	}
	b.WriteString("\n")
	for _, st := range p.Stages {
		fmt.Fprintf(&b, "\n# %s (%s) width %d", st.Title, st.ID, st.Width)
		if st.Canary > 0 {
			fmt.Fprintf(&b, ", canary %d", st.Canary)
		}
		if st.Budgeted {
			b.WriteString(", budgeted")
		}
		for _, d := range st.Domains {
			fmt.Fprintf(&b, "\n#   domain %s: %s", d.Name, strings.Join(d.Targets, " "))
		}
		b.WriteString("\n")
		for _, s := range p.Steps {
			if s.Stage == st.ID {
				outlineStep(&b, s)
			}
		}
	}
	if p.Unfinished != "" {
		fmt.Fprintf(&b, "\nunfinished: %s\n", p.Unfinished)
	}
	for _, d := range p.Diagnostics {
		fmt.Fprintf(&b, "\n%s: %s: %s\n", d.Severity, d.Subject, d.Summary)
		for line := range strings.SplitSeq(d.Detail, "\n") {
			if line != "" {
				fmt.Fprintf(&b, "  %s\n", line)
			}
		}
		fmt.Fprintf(&b, "  -> %s\n", d.Hint)
	}
	return b.String()
}

func outlineStep(b *strings.Builder, s lifecycle.Step) {
	sign := " "
	if s.Disrupts {
		sign = "!"
	}
	fmt.Fprintf(b, "%s %-34s %s\n", sign, s.ID, s.Reason)
	for _, c := range s.Changes {
		fmt.Fprintf(b, "      %s\n", c)
	}
	outlineGates(b, "before", s.Before)
	outlineGates(b, "after ", s.After)
}

func outlineGates(b *strings.Builder, when string, gates []lifecycle.Gate) {
	if len(gates) == 0 {
		return
	}
	var names []string
	for _, g := range gates {
		name := string(g.Kind)
		if g.Target != "" {
			name += " " + g.Target
		}
		if !g.Version.IsZero() {
			name += " " + g.Version.String()
		}
		if g.For > 0 {
			name += " for " + short(g.For)
		}
		if g.Timeout > 0 {
			name += " <" + short(g.Timeout)
		}
		names = append(names, name)
	}
	fmt.Fprintf(b, "      %s %s\n", when, strings.Join(names, " | "))
}

func short(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}
