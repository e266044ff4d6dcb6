package timeline

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// Markdown sums a run up for a merge request: how it ended, what was in the way, a line a machine, and the steps to unfold.
func Markdown(w io.Writer, r lifecycle.RunRecord, events []lifecycle.Event) error {
	t := newModel(events)
	var b strings.Builder
	fmt.Fprintf(&b, "### kiban run: `%s`, %s\n\n", lifecycle.Markdown(r.Site), lifecycle.Markdown(string(r.Result)))
	fmt.Fprintf(&b, "**%s: %d of %d steps done in %s.**", lifecycle.Markdown(title(r, t)), r.Done, r.Steps,
		render.Duration(r.Ended.Sub(r.Began)))
	if n := t.widest(); n > 0 {
		fmt.Fprintf(&b, " At most %d out of service at once; %d allowed.", t.most(), n)
	}
	b.WriteString("\n\n")
	if r.Result == lifecycle.RunUnended {
		fmt.Fprintf(&b, "%s.\n\n", strings.ToUpper(render.NoEnd[:1])+render.NoEnd[1:])
	}
	facts := []string{"run `" + lifecycle.Markdown(r.ID) + "`", r.Began.UTC().Format("2006-01-02 15:04:05 UTC")}
	if v := render.RunVersions(r); v != "" {
		facts = append([]string{"k0s `" + lifecycle.Markdown(strings.ReplaceAll(v, "->", "→")) + "`"}, facts...)
	}
	if r.Revision != "" {
		facts = append(facts, "revision `"+lifecycle.Markdown(lifecycle.ShortRevision(r.Revision))+"`")
	}
	if r.Who+r.Where != "" {
		facts = append(facts, "by "+lifecycle.Markdown(strings.TrimSuffix(r.Who+" on "+r.Where, " on ")))
	}
	if r.Review != nil {
		facts = append(facts, lifecycle.Markdown(r.Review.Describe()))
	}
	b.WriteString(strings.Join(facts, " · ") + "\n")
	if r.Review != nil && len(r.Review.Accepted) > 0 {
		fmt.Fprintf(&b, "\nAccepted by %s:\n\n", lifecycle.Markdown(cmp.Or(r.Who, "somebody")))
		for _, l := range r.Review.Accepted {
			// in code, nothing is markup
			fmt.Fprintf(&b, "- `%s`\n", strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(strings.TrimSpace(l)))
		}
	}
	for _, d := range t.findings {
		b.WriteString(render.DiagnosticMarkdown(d))
	}
	writeLanes(&b, t)
	writeStepTable(&b, t)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeLanes(b *strings.Builder, t model) {
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
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", lifecycle.Markdown(l.name), lifecycle.Markdown(strings.Join(names, ", ")),
			moment(l.bars[0].from), moment(to), wordOrNone(waited), result)
	}
	if len(t.idle) > 0 {
		fmt.Fprintf(b, "\nNot begun: %s.\n", lifecycle.Markdown(strings.Join(t.idle, ", ")))
	}
}

func writeStepTable(b *strings.Builder, t model) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| Step | Began | Took | Waited | Result | Why |\n|---|---|---|---|---|---|\n",
		lifecycle.Count(len(t.rows), "step"))
	for _, r := range t.rows {
		began, took := moment(r.from), render.Duration((r.to - r.from).Round(time.Millisecond))
		if r.state == barIdle {
			began, took = "", ""
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", lifecycle.Markdown(r.step), began, took, wordOrNone(r.waited()), r.state,
			lifecycle.Markdown(r.reason))
	}
	b.WriteString("\n</details>\n")
}

func wordOrNone(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return render.Duration(d.Round(time.Millisecond))
}
