package render

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// PlanText shows a plan as Terraform's users know it: what it is for, each stage with what is done to whom and why, the findings, and
// the totals. Machines of a stage that get the same treatment are shown once, together.
func PlanText(w io.Writer, site lifecycle.Site, p lifecycle.Plan, style Style) error {
	t := planText{style: style}
	t.header(site, p)
	if !p.Empty() {
		t.line("")
		t.line("kiban would carry out these steps:")
		t.legend(p)
	}
	all := Outlines(p)
	for i, o := range all {
		t.stage(o, i+1, len(all))
	}
	for _, f := range folded(toldApart(p)) {
		t.line("")
		t.b.WriteString(DiagnosticText(f.Diagnostic, style))
	}
	if p.Readiness != nil {
		t.line("")
		t.line("%s %s", t.style.paint(codeBold, "Readiness for "+p.Readiness.Named(p.Readiness.To)+":"), p.Readiness.Verdict())
		t.readiness(*p.Readiness, true)
	}
	t.end(site, p)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// Verdict says in a line what a plan comes to.
func Verdict(site lifecycle.Site, p lifecycle.Plan) string {
	stops := len(p.Diagnostics.Stopping())
	switch {
	case stops == 1:
		return "Not as it stands: the finding below is in the way."
	case stops > 1:
		return fmt.Sprintf("Not as it stands: %d findings below are in the way.", stops)
	case p.Empty() && p.Unfinished != "":
		return "No changes to what was reached, but " + p.Unfinished + "."
	case p.Empty() && p.Waits != "":
		return "No changes for now: " + p.Waits + "."
	case p.Empty():
		return "No changes. " + p.Site + " is what the repository declares."
	}
	totals := Totals(site, p)
	return strings.ToUpper(totals[:1]) + totals[1:]
}

type planText struct {
	b     strings.Builder
	style Style
	// told are the units whose objects were told of, by what was told without their names.
	told map[string]string
}

func (t *planText) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.hanging(len(text)-len(strings.TrimLeft(text, " "))+4, text)
}

// hanging writes a line; what of it has no room hangs below it by so many columns.
func (t *planText) hanging(hang int, text string) {
	for _, l := range wrapText(text, hang, t.style.columns) {
		t.b.WriteString(l + "\n")
	}
}

func (t *planText) header(site lifecycle.Site, p lifecycle.Plan) {
	head := "Site " + p.Site
	if p.Revision != "" {
		head += " at " + lifecycle.ShortRevision(p.Revision)
	}
	if v := Versions(p); v != "" && site.Provider != lifecycle.ProviderExternal {
		head += ", k0s " + v
	}
	t.line("%s", t.style.paint(codeBold, head))
	t.line("%s", Verdict(site, p))
}

// legend explains the signs that the plan has: machines, objects, or both.
func (t *planText) legend(p lifecycle.Plan) {
	machines, signs := false, map[string]bool{}
	for _, s := range p.Steps {
		if !lifecycle.IsUnit(s.Target) {
			machines = true
			continue
		}
		for _, l := range objectLines(s) {
			signs[l.sign] = true
		}
	}
	if machines {
		t.line("  %s a machine joins   %s it is changed   %s it leaves   %s pods or an API server go away meanwhile",
			t.symbol("+"), t.symbol("~"), t.symbol("-"), t.symbol("!"))
	}
	var parts []string
	for _, sign := range [...][2]string{{"+", "is made"}, {"~", "is changed"}, {"-/+", "is deleted and made anew"}, {"-", "is deleted"},
		{"=", "stays, no longer looked after"}, {"!", "was changed by hand and is put back"}} {
		if signs[sign[0]] {
			parts = append(parts, t.symbol(sign[0])+" "+sign[1])
		}
	}
	if len(parts) > 0 {
		t.line("  an object %s", strings.Join(parts, "   "))
	}
}

func (t *planText) stage(o Outline, n, of int) {
	t.line("")
	title := fmt.Sprintf("Stage %d of %d: %s", n, of, o.Stage.Title)
	targets := 0
	for _, g := range o.Groups {
		targets += len(g.Targets)
	}
	if p := Pace(o.Stage, targets); p != "" {
		title += " (" + p + ")"
	}
	t.line("%s", t.style.paint(codeBold, title))
	for _, g := range o.Groups {
		t.group(g)
	}
}

func (t *planText) group(g Group) {
	if lifecycle.IsUnit(g.Targets[0]) {
		for _, s := range g.Steps {
			t.unit(s)
		}
		return
	}
	names := g.Targets
	if len(names) == 1 && names[0] == "" {
		names = []string{"the cluster"}
	}
	for i, l := range wrap(names, ",", "    ", min(100, cmp.Or(t.style.columns, 100))) {
		if i == 0 {
			l = "  # " + strings.TrimSpace(l)
		}
		t.line("%s", l)
	}
	for _, s := range g.Steps {
		if len(g.Targets) > 1 {
			s = anonymous(s)
		}
		t.step(s)
	}
}

func (t *planText) step(s lifecycle.Step) {
	mark := " "
	if s.Disrupts {
		mark = "!"
	}
	what := string(s.Action)
	if change := versionChange(s); change != "" {
		what = fmt.Sprintf("%-16s %s", what, change)
	}
	t.line("  %s %s %s", t.symbol(mark), t.symbol(symbolOf(s.Action)), t.style.paint(codeBold, what))
	t.note("why", s.Reason)
	for i, c := range s.Changes {
		t.note(first(i, "changes"), c)
	}
	for i, g := range s.Before {
		t.note(first(i, "before"), gateText(g))
	}
	for i, g := range s.After {
		t.note(first(i, "after"), gateText(g))
	}
	t.note("if not", wayBack(s))
}

// unit shows what becomes of an addon, a tenant or the site's objects: a line for it, and its objects below.
func (t *planText) unit(s lifecycle.Step) {
	name, detail := UnitHead(s)
	t.line("%s", strings.TrimRight(fmt.Sprintf("  %s %s  %s", t.symbol(UnitSymbol(s)), t.style.paint(codeBold, name), detail), " "))
	for _, n := range unitNotes(s) {
		t.note(n[0], n[1])
	}
	lines := objectLines(s)
	if same := t.sameAs(s, lines); same != "" {
		t.line("      %s objects of the same kinds and names as those of %s", t.symbol("+"), same)
		return
	}
	for _, l := range lines {
		if l.sign == "" {
			t.line("          %s", l.text)
			continue
		}
		t.line("      %s %s", t.symbol(l.sign), l.text)
	}
}

// sameAs is the unit before this one that gets the same objects but for its own name in theirs, as one tenant after another does; "" when
// none does.
func (t *planText) sameAs(s lifecycle.Step, lines []objectLine) string {
	_, name, _ := strings.Cut(s.Target, "/")
	if unitVerb(s) != "add" || len(lines) < 3 {
		return ""
	}
	shape := ""
	for _, l := range lines {
		shape += l.sign + strings.Join(strings.Fields(strings.ReplaceAll(l.text, name, placeholder)), " ") + "\n"
	}
	if same, seen := t.told[shape]; seen {
		return same
	}
	if t.told == nil {
		t.told = map[string]string{}
	}
	t.told[shape] = lifecycle.UnitLabel(s.Target)
	return ""
}

// wayBack says what is done when the step fails.
func wayBack(s lifecycle.Step) string {
	var does []string
	for _, back := range s.OnFailure {
		does = append(does, strings.TrimSpace(fmt.Sprintf("%s %s", back.Action, back.Version)))
	}
	if len(does) == 0 {
		return ""
	}
	return strings.Join(does, ", ") + " with the same gates, uncordon if kiban cordoned it; the rollout stops"
}

func (t *planText) note(label, text string) {
	if text != "" {
		t.hanging(17, fmt.Sprintf("        %s %s", t.style.paint(codeDim, fmt.Sprintf("%-8s", label)), text))
	}
}

func (t *planText) symbol(s string) string {
	codes := map[string]string{"+": codeGreen, "~": codeYellow, "-": codeRed, "!": codeRed, "-/+": codeRed}
	return t.style.paint(codes[s], s)
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// gateText names a gate with how long it must hold and how long it is waited for.
func gateText(g lifecycle.Gate) string {
	s := g.String()
	if g.For > 0 {
		s += " for " + Duration(g.For)
	}
	if g.Timeout > 0 {
		s += " (within " + Duration(g.Timeout) + ")"
	}
	return s
}

func versionChange(s lifecycle.Step) string {
	switch {
	case s.Version.IsZero():
		return ""
	case s.From.IsZero() || s.From == s.Version || s.Action == lifecycle.ActionUpload:
		return s.Version.String()
	}
	return s.From.String() + " -> " + s.Version.String()
}

func symbolOf(a lifecycle.Action) string {
	switch a.Verb() {
	case lifecycle.VerbRemove:
		return "-"
	case lifecycle.VerbJoin:
		return "+"
	case lifecycle.VerbUpgrade, lifecycle.VerbTakeBack, lifecycle.VerbReconfigure, lifecycle.VerbStart:
		return "~"
	}
	return " "
}
