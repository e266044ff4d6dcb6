package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// PlanMarkdown shows a plan for a merge request: the verdict, a table of the stages, and the steps of each stage to unfold.
func PlanMarkdown(w io.Writer, site lifecycle.Site, p lifecycle.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### kiban plan: `%s`\n\n", p.Site)
	fmt.Fprintf(&b, "**%s**\n", lifecycle.Markdown(Verdict(site, p)))
	var facts []string
	if v := Versions(p); v != "" && site.Provider != lifecycle.ProviderExternal {
		facts = append(facts, "k0s `"+v+"`")
	}
	if p.Revision != "" {
		facts = append(facts, "revision `"+lifecycle.ShortRevision(p.Revision)+"`")
	}
	if takes := EstimateText(p.Estimate); takes != "" {
		facts = append(facts, takes)
	}
	if len(facts) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(facts, " · "))
	}
	if p.Unfinished != "" && !p.Empty() {
		fmt.Fprintf(&b, "\nAnother plan must follow this one: %s\n", lifecycle.Markdown(p.Unfinished))
	}
	for _, f := range folded(toldApart(p)) {
		b.WriteString(DiagnosticMarkdown(f.Diagnostic))
		if len(f.of) > 0 {
			b.WriteString(f.unfold())
		}
	}
	if p.Readiness != nil {
		b.WriteString(ReadinessMarkdown(*p.Readiness, len(p.Readiness.Findings)))
	}
	all := Outlines(p)
	markdownStages(&b, all)
	for i, o := range all {
		StageMarkdown(&b, o, i+1)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownStages(b *strings.Builder, all []Outline) {
	if len(all) == 0 {
		return
	}
	column := "Machines"
	for _, o := range all {
		if slices.ContainsFunc(o.Groups, func(g Group) bool { return lifecycle.IsUnit(g.Targets[0]) }) {
			column = "On"
		}
	}
	fmt.Fprintf(b, "\n| | Stage | %s | Pace | Disturbs |\n|---|---|---|---|---|\n", column)
	for i, o := range all {
		var targets []string
		disturbs := 0
		for _, g := range o.Groups {
			targets = append(targets, g.Targets...)
			if g.Targets[0] == "" || lifecycle.IsUnit(g.Targets[0]) {
				continue
			}
			for _, s := range g.Steps {
				if s.Disrupts {
					disturbs += len(g.Targets)
					break
				}
			}
		}
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s |\n", i+1, lifecycle.Markdown(o.Stage.Title), TargetsText(targets), Pace(o.Stage, len(targets)),
			number(disturbs))
	}
}

// StageMarkdown shows the steps of machines in a table to unfold, and of each unit a line, with its objects to unfold.
func StageMarkdown(b *strings.Builder, o Outline, n int) {
	machines := slices.DeleteFunc(slices.Clone(o.Groups), func(g Group) bool { return lifecycle.IsUnit(g.Targets[0]) })
	if len(machines) > 0 {
		markdownMachines(b, o.Stage, machines, n)
	}
	for _, g := range o.Groups {
		if !lifecycle.IsUnit(g.Targets[0]) {
			continue
		}
		for _, s := range g.Steps {
			markdownUnit(b, s)
		}
	}
}

func markdownMachines(b *strings.Builder, stage lifecycle.Stage, groups []Group, n int) {
	fmt.Fprintf(b, "\n<details><summary>%d. %s</summary>\n\n", n, lifecycle.Markdown(stage.Title))
	b.WriteString("| Machines | Step | Why | Before | After |\n|---|---|---|---|---|\n")
	for _, g := range groups {
		who := lifecycle.Enumerate(g.Targets)
		if who == "" {
			who = "the cluster"
		}
		for i, s := range g.Steps {
			if len(g.Targets) > 1 {
				s = anonymous(s)
			}
			what := "`" + string(s.Action) + "`"
			if s.Disrupts {
				what = "**" + what + "**"
			}
			if c := versionChange(s); c != "" {
				what += " " + c
			}
			if i > 0 {
				who = ""
			}
			why := append([]string{s.Reason}, s.Changes...)
			if back := wayBack(s); back != "" {
				why = append(why, "if it fails: "+back)
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", lifecycle.Markdown(who), what, cells(why), gateCells(s.Before), gateCells(s.After))
		}
	}
	b.WriteString("\n</details>\n")
}

// markdownUnit shows a unit's line, and to unfold why and what becomes of its objects, as a diff, which is shown in colours.
func markdownUnit(b *strings.Builder, s lifecycle.Step) {
	name, detail := UnitHead(s)
	fmt.Fprintf(b, "\n<details><summary><b>%s</b> %s</summary>\n\n", lifecycle.Markdown(name), lifecycle.Markdown(detail))
	label := ""
	for _, n := range unitNotes(s) {
		label = cmp.Or(n[0], label)
		fmt.Fprintf(b, "- %s: %s\n", label, lifecycle.Markdown(n[1]))
	}
	if lines := objectLines(s); len(lines) > 0 {
		b.WriteString("\n```diff\n")
		for _, l := range lines {
			if l.sign == "" {
				l.sign = "   "
			}
			fmt.Fprintf(b, "%s %s\n", l.sign, lifecycle.OneLine(l.text))
		}
		b.WriteString("```\n")
	}
	b.WriteString("\n</details>\n")
}

// DiagnosticMarkdown is a finding as a quotation.
func DiagnosticMarkdown(d lifecycle.Diagnostic) string {
	label := SeverityLabel(d.Severity)
	s := "\n> **" + label + ": "
	if subject := Subject(d.Subject); subject != "" && !strings.HasPrefix(d.Summary, subject) {
		s += lifecycle.Markdown(subject) + ": "
	}
	s += lifecycle.Markdown(d.Summary) + "**"
	for line := range strings.Lines(strings.TrimSpace(d.Detail)) {
		s += "  \n> " + lifecycle.Markdown(strings.TrimRight(line, "\n"))
	}
	if d.Hint != "" {
		s += "  \n> Try: " + lifecycle.Markdown(d.Hint)
	}
	return s + "\n"
}

func gateCells(gates []lifecycle.Gate) string {
	var parts []string
	for _, g := range gates {
		parts = append(parts, gateText(g))
	}
	return cells(parts)
}

func cells(parts []string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = lifecycle.Markdown(p)
	}
	return strings.Join(out, "<br>")
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
