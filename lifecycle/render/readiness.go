package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

// seenLines is how many lines of evidence a finding shows; the machine-readable forms have all of them.
const seenLines = 3

// ReadinessText shows what a version would break at a site: the verdict, the findings by rank, what could not be looked at, and what was.
// brief leaves out what was seen, and has a paragraph for each finding.
func ReadinessText(w io.Writer, r lifecycle.Readiness, brief bool, style Style) error {
	t := planText{style: style}
	head := "Site " + r.Site + ", to " + r.Program() + " " + r.Named(r.To)
	if !r.From.IsZero() && r.From != r.To {
		head = "Site " + r.Site + ", " + r.Program() + " " + r.Named(r.From) + " -> " + r.Named(r.To)
	}
	t.line("%s", style.paint(codeBold, head))
	t.line("%s", r.Verdict())
	t.readiness(r, brief)
	if len(r.Looked) > 0 && !brief {
		t.line("")
		t.line("Looked at: %s.", strings.Join(r.Looked, "; "))
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// readiness writes the findings by rank, those that say the same of several subjects together.
func (t *planText) readiness(r lifecycle.Readiness, brief bool) {
	for _, rank := range lifecycle.Ranks() {
		groups := alikeFindings(r.Of(rank))
		if len(groups) == 0 {
			continue
		}
		t.line("")
		t.line("%s", t.style.paint(codeBold, rankTitle(rank)))
		for _, g := range groups {
			t.readinessFinding(g, brief)
		}
	}
	if len(r.Unseen) > 0 {
		t.line("")
		t.line("%s", t.style.paint(codeBold, "Not looked at"))
	}
	for _, u := range r.Unseen {
		t.line("  %s: %s", u.What, lifecycle.OneLine(u.Why))
		if len(u.Also) > 0 {
			t.line("      nor, for the same reason: %s", strings.Join(u.Also, "; "))
		}
		if u.Remedy != "" {
			t.line("      %s %s", t.style.paint(codeCyan, "Try:"), u.Remedy)
		}
	}
}

func (t *planText) readinessFinding(g findingGroup, brief bool) {
	owner := ""
	if g.Owner != "" && g.Owner != g.Subject {
		owner = " (" + g.Owner + ")"
	}
	head := fmt.Sprintf("  %s%s: %s", t.style.paint(rankCode(g.Rank), lifecycle.Alike(g.subjects)), owner, g.Summary)
	if brief {
		t.line("%s. %s%s", head, g.remedy(), t.ruleOf(g))
		return
	}
	t.line("%s%s", head, t.ruleOf(g))
	for i, line := range g.Seen {
		if i == seenLines && len(g.Seen) > seenLines {
			t.line("      and %d more", len(g.Seen)-seenLines)
			break
		}
		t.line("      %s", line)
	}
	t.line("      %s %s", t.style.paint(codeCyan, "Try:"), g.remedy())
}

// ruleOf is the name that `kiban explain` takes, in brackets. What a plan finds by no rule's name has none.
func (t *planText) ruleOf(g findingGroup) string {
	if g.Rule == "" || g.Rule == "plan" || g.Rule == "accepted" {
		return ""
	}
	return " " + t.style.paint(codeDim, "["+g.Rule+"]")
}

// findingGroup is a finding about several subjects.
type findingGroup struct {
	lifecycle.ReadinessFinding
	subjects []string
	// alike is the remedy without names; differ says that those of the subjects have different ones.
	alike  string
	differ bool
}

func (g findingGroup) remedy() string {
	if g.differ {
		return lifecycle.AndSo(g.Remedy)
	}
	return g.Remedy
}

// takes reports whether a finding, whose remedy without names is alike, says what the group says: of a machine that is unlike its
// siblings it is said for each kind of thing once, whatever each machine has.
func (g findingGroup) takes(f lifecycle.ReadinessFinding, alike string) bool {
	summary := g.Summary == f.Summary
	if f.Rule == ruleUnlike {
		mine, _, _ := strings.Cut(g.Summary, " ")
		its, _, _ := strings.Cut(f.Summary, " ")
		summary = mine == its
	}
	return summary && g.Rule == f.Rule && g.Owner == f.Owner && g.alike == alike && g.Breaks == f.Breaks
}

// add takes one more finding into the group. What was seen says of whom, where the subjects differ in more than their names.
func (g *findingGroup) add(f lifecycle.ReadinessFinding) {
	if f.Remedy != g.Remedy && !g.differ {
		g.differ = true
		g.Seen = ofSubject(g.Seen, g.Subject)
	}
	if g.differ {
		f.Seen = ofSubject(f.Seen, f.Subject)
	}
	if f.Summary != g.Summary {
		g.Summary += "; " + f.Summary
	}
	if !slices.Contains(g.subjects, f.Subject) {
		g.subjects = append(g.subjects, f.Subject)
	}
	for _, s := range f.Seen {
		if !slices.Contains(g.Seen, s) {
			g.Seen = append(g.Seen, s)
		}
	}
}

// ruleUnlike is the rule whose findings are one for each kind of thing.
const ruleUnlike = "unlike-its-siblings"

func ofSubject(seen []string, subject string) []string {
	var out []string
	for _, line := range seen {
		if !strings.HasPrefix(line, subject+": ") {
			line = subject + ": " + line
		}
		out = append(out, line)
	}
	return out
}

// alikeFindings puts together what says the same of several subjects: one cause is one finding.
func alikeFindings(fs []lifecycle.ReadinessFinding) []findingGroup {
	var out []findingGroup
	for _, f := range fs {
		alike := lifecycle.AboutAny(f.Remedy, f.Subject)
		i := slices.IndexFunc(out, func(g findingGroup) bool { return g.takes(f, alike) })
		if i < 0 {
			f.Seen = slices.Clone(f.Seen)
			out = append(out, findingGroup{ReadinessFinding: f, subjects: []string{f.Subject}, alike: alike})
			continue
		}
		out[i].add(f)
	}
	return out
}

func rankTitle(r lifecycle.Rank) string {
	switch r {
	case lifecycle.RankBlocks:
		return "In the way"
	case lifecycle.RankAttention:
		return "To see to"
	}
	return "Good to know"
}

func rankCode(r lifecycle.Rank) string {
	switch r {
	case lifecycle.RankBlocks:
		return codeRed
	case lifecycle.RankAttention:
		return codeYellow
	}
	return ""
}

// ReadinessMarkdown is the same for a merge request: a table, a line a finding, as many as most.
func ReadinessMarkdown(r lifecycle.Readiness, most int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n**Readiness for `%s`.** %s\n", r.Named(r.To), lifecycle.Markdown(r.Verdict()))
	rows, left := 0, 0
	var many []findingGroup
	for _, rank := range lifecycle.Ranks() {
		for _, g := range alikeFindings(r.Of(rank)) {
			if rows == most {
				left++
				continue
			}
			if rows == 0 {
				b.WriteString("\n| | What | Whose | Seen | Try |\n|---|---|---|---|---|\n")
			}
			rows++
			seen := strings.Join(g.Seen[:min(1, len(g.Seen))], "")
			if n := len(g.Seen); n > 1 {
				seen += fmt.Sprintf(" and %d more", n-1)
			}
			subjects := lifecycle.Alike(g.subjects)
			if subjects != strings.Join(g.subjects, ", ") {
				many = append(many, g)
			}
			fmt.Fprintf(&b, "| %s | **%s**: %s | %s | %s | %s |\n", rankTitle(rank), cell(subjects), cell(g.Summary),
				cell(g.Owner), cell(seen), lifecycle.Markdown(WholeRemedy(g.remedy(), "kiban ready "+r.Site+" says what to do.")))
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%s: `kiban ready %s --to %s` shows all.\n", lifecycle.Count(left, "more finding"),
			lifecycle.Markdown(r.Site), r.Named(r.To))
	}
	for _, g := range many {
		b.WriteString(unfoldMarkdown(g.Summary, g.subjects))
	}
	for _, u := range r.Unseen {
		fmt.Fprintf(&b, "\n- Not looked at: %s: %s\n", lifecycle.Markdown(u.What), lifecycle.Markdown(u.Why))
		if len(u.Also) > 0 {
			fmt.Fprintf(&b, "  Nor, for the same reason: %s\n", lifecycle.Markdown(strings.Join(u.Also, "; ")))
		}
	}
	return b.String()
}

// ReadinessMarkdownTo writes all of it.
func ReadinessMarkdownTo(w io.Writer, r lifecycle.Readiness) error {
	_, err := fmt.Fprintf(w, "### kiban ready: `%s`\n%s", r.Site, ReadinessMarkdown(r, len(r.Findings)))
	return err
}

// cellRunes is how much of a text a table of a merge request shows.
const cellRunes = 240

// remedyRunes is how long a remedy may be in a merge request.
const remedyRunes = 1000

// WholeRemedy is a remedy as it is, however it fills a line, for half a command is none; or, of one that is without measure, where it is
// told.
func WholeRemedy(remedy, where string) string {
	if utf8.RuneCountInString(remedy) > remedyRunes {
		return where
	}
	return remedy
}

// cell is foreign text in a table of Markdown.
func cell(text string) string {
	return lifecycle.Markdown(lifecycle.Shorten(text, cellRunes))
}
