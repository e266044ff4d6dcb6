package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a plan with its file, testdata/<name>.golden.txt.
func golden(t *testing.T, name string, p lifecycle.Plan) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden.txt")
	got := outline(p)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", file, got)
	}
}

// orderly checks what holds for every plan: ids are unique, needs name earlier steps, stages are those of the steps.
func orderly(t *testing.T, p lifecycle.Plan) {
	t.Helper()
	seen := map[string]bool{}
	var stages []string
	for _, s := range p.Steps {
		if seen[s.ID] {
			t.Errorf("two steps are called %s", s.ID)
		}
		for _, n := range s.Needs {
			if !seen[n] {
				t.Errorf("%s needs %s, which does not come before it", s.ID, n)
			}
		}
		if s.Reason == "" || s.Timeout <= 0 {
			t.Errorf("%s has no reason or no timeout", s.ID)
		}
		for _, g := range slices.Concat(s.Before, s.After) {
			if words := g.String(); strings.HasPrefix(words, " ") || strings.HasSuffix(words, " ") || strings.Contains(words, "  ") {
				t.Errorf("%s: the gate %q lacks its target", s.ID, words)
			}
		}
		seen[s.ID] = true
		if len(stages) == 0 || stages[len(stages)-1] != s.Stage {
			stages = append(stages, s.Stage)
		}
	}
	var declared []string
	for _, st := range p.Stages {
		declared = append(declared, st.ID)
	}
	if !slices.Equal(stages, declared) {
		t.Errorf("the steps' stages are %v, the plan's %v", stages, declared)
	}
}

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
	if s.Chart != "" {
		fmt.Fprintf(b, "      chart  %s\n", s.Chart)
	}
	for _, o := range s.Objects {
		fmt.Fprintf(b, "      %-6s %s\n", o.Change, o.ObjectRef)
	}
	if len(s.Needs) > 0 && lifecycle.IsUnit(s.Target) {
		fmt.Fprintf(b, "      needs  %s\n", strings.Join(s.Needs, " "))
	}
	outlineGates(b, "before", s.Before)
	outlineGates(b, "after ", s.After)
	for _, back := range s.OnFailure {
		fmt.Fprintf(b, "      else   %s %s\n", back.ID, back.Version)
	}
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
