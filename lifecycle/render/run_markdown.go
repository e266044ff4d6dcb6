package render

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// RunMarkdown sums a run up for a merge request: how it ended, what was in the way, a line a machine, and the steps to unfold.
func RunMarkdown(w io.Writer, r lifecycle.RunRecord, events []lifecycle.Event) error {
	t := newTimeline(events)
	var b strings.Builder
	fmt.Fprintf(&b, "### kiban run: `%s`, %s\n\n", cell(r.Site), cell(string(r.Result)))
	fmt.Fprintf(&b, "**%s: %d of %d steps done in %s.**", cell(runTitle(r, t)), r.Done, r.Steps, duration(r.Ended.Sub(r.Began)))
	if n := t.widest(); n > 0 {
		fmt.Fprintf(&b, " At most %d out of service at once; %d allowed.", t.most(), n)
	}
	b.WriteString("\n\n")
	if r.Result == lifecycle.RunUnended {
		fmt.Fprintf(&b, "%s.\n\n", strings.ToUpper(noEnd[:1])+noEnd[1:])
	}
	facts := []string{"run `" + cell(r.ID) + "`", r.Began.UTC().Format("2006-01-02 15:04:05 UTC")}
	if v := runVersions(r); v != "" {
		facts = append([]string{"k0s `" + cell(strings.ReplaceAll(v, "->", "→")) + "`"}, facts...)
	}
	if r.Revision != "" {
		facts = append(facts, "revision `"+cell(revision(r.Revision))+"`")
	}
	if r.Who+r.Where != "" {
		facts = append(facts, "by "+cell(strings.TrimSuffix(r.Who+" on "+r.Where, " on ")))
	}
	if r.Review != nil {
		facts = append(facts, cell(Reviewed(*r.Review)))
	}
	b.WriteString(strings.Join(facts, " · ") + "\n")
	if r.Review != nil && len(r.Review.Accepted) > 0 {
		fmt.Fprintf(&b, "\nAccepted by %s:\n\n", cell(cmp.Or(r.Who, "somebody")))
		for _, l := range r.Review.Accepted {
			fmt.Fprintf(&b, "- `%s`\n", strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(strings.TrimSpace(l))) // in code, nothing is markup
		}
	}
	for _, d := range t.findings {
		b.WriteString(markdownDiagnostic(d))
	}
	markdownLanes(&b, t)
	markdownSteps(&b, t)
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownLanes(b *strings.Builder, t timeline) {
	if len(t.lanes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | Steps | From | To | Waited | Result |\n|---|---|---|---|---|---|\n", t.column())
	for _, l := range t.lanes {
		var names []string
		var waited, to time.Duration
		for _, bar := range l.bars {
			names = append(names, string(bar.action))
			waited += bar.waited()
			to = max(to, bar.to)
		}
		result := string(l.state())
		switch l.state() {
		case barIdle:
			result = fmt.Sprintf("%d of %d steps", len(l.bars), len(l.bars)+l.left)
		case barFailed, barCut:
			result = "**" + result + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", cell(l.name), cell(strings.Join(names, ", ")), moment(l.bars[0].from), moment(to), wordOrNone(waited), result)
	}
	if len(t.idle) > 0 {
		fmt.Fprintf(b, "\nNot begun: %s.\n", cell(strings.Join(t.idle, ", ")))
	}
}

func markdownSteps(b *strings.Builder, t timeline) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| Step | Began | Took | Waited | Result | Why |\n|---|---|---|---|---|---|\n", count(len(t.rows), "step"))
	for _, r := range t.rows {
		began, took := moment(r.from), duration((r.to - r.from).Round(time.Millisecond))
		if r.state == barIdle {
			began, took = "", ""
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", cell(r.step), began, took, wordOrNone(r.waited()), r.state, cell(r.reason))
	}
	b.WriteString("\n</details>\n")
}

func wordOrNone(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return duration(d.Round(time.Millisecond))
}
