package timeline

import (
	"fmt"
	"io"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// HTML shows a run as one page that needs nothing else: no scripts, no fonts, no requests. The same run gives the same bytes.
func HTML(w io.Writer, r lifecycle.RunRecord, events []lifecycle.Event) error {
	t := newModel(events)
	p := &page{}
	p.put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n" +
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n")
	p.put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n")
	p.put("<title>%s: %s (%s)</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", r.Site, title(r, t), r.Result, markup(pageStyle))
	writeHead(p, r, t)
	writeFacts(p, r, t)
	writePicture(p, t)
	writeFindings(p, t.findings)
	writeSteps(p, t)
	p.put("<footer>Run <span class=\"mono\">%s</span>, told by kiban from its journal.</footer>\n</main>\n</body>\n</html>\n", r.ID)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// title says in a few words what a run was for.
func title(r lifecycle.RunRecord, t model) string {
	counts := map[lifecycle.Verb]int{}
	targets := map[string]lifecycle.Verb{}
	var units []lifecycle.Step
	for _, b := range t.rows {
		if lifecycle.IsUnit(b.target) {
			units = append(units, lifecycle.Step{Target: b.target, Action: b.action})
			continue
		}
		if b.target == "" {
			continue
		}
		c, seen := targets[b.target]
		if !seen {
			c = lifecycle.VerbOther
		}
		targets[b.target] = min(c, b.action.Verb())
	}
	for _, c := range targets {
		counts[c]++
	}
	var parts []string
	for c := lifecycle.VerbRemove; c <= lifecycle.VerbOther; c++ {
		if counts[c] > 0 {
			parts = append(parts, lifecycle.Count(counts[c], "machine")+" to "+c.String())
		}
	}
	title := lifecycle.Enumerate(parts)
	if len(units) > 0 {
		title = strings.TrimPrefix(title+"; "+render.UnitNames(units)+" to apply", "; ")
	}
	if title == "" {
		return lifecycle.Count(r.Steps, "step")
	}
	return title
}

func writeHead(p *page, r lifecycle.RunRecord, t model) {
	badge := "odd"
	if r.Result == lifecycle.RunDone || r.Result == lifecycle.RunFailed {
		badge = string(r.Result)
	}
	p.put("<div class=\"head\"><h1>%s</h1><span class=\"badge %s\">%s</span></div>\n", r.Site+": "+title(r, t), markup(badge), r.Result)
	said := []string{r.Began.UTC().Format("Monday, 2 January 2006, 15:04:05 UTC")}
	if r.Who != "" {
		said = append(said, "by "+r.Who)
	}
	if r.Where != "" {
		said = append(said, "on "+r.Where)
	}
	p.put("<p class=\"sub\">%s", strings.Join(said, " "))
	if r.Revision != "" {
		p.put(", revision <code>%s</code>", lifecycle.ShortRevision(r.Revision))
	}
	if r.Review != nil {
		p.put(", as %s", r.Review.Describe())
	}
	p.put("</p>\n")
	if r.Review != nil && len(r.Review.Accepted) > 0 {
		p.put("<pre>%s</pre>\n", strings.Join(r.Review.Accepted, "\n"))
	}
	if n := len(t.findings); n > 0 {
		p.put("<p class=\"sub\"><a href=\"#findings\">%s</a>: %s</p>\n", lifecycle.Count(n, "finding"), words(t.findings[0].Summary))
	}
	if r.Result == lifecycle.RunUnended {
		p.put("<p class=\"sub\">%s.</p>\n", strings.ToUpper(render.NoEnd[:1])+render.NoEnd[1:])
	}
}

func writeFacts(p *page, r lifecycle.RunRecord, t model) {
	fact := func(class, value, label string) {
		p.put("<div class=\"fact%s\"><b>%s</b><span>%s</span></div>\n", markup(class), value, label)
	}
	p.put("<div class=\"facts\">\n")
	if v := render.RunVersions(r); v != "" {
		label := "k0s, before and after"
		if !strings.Contains(v, "->") {
			label = "k0s"
		}
		fact(" two", strings.ReplaceAll(v, "->", "→"), label)
	}
	fact("", render.Duration(r.Ended.Sub(r.Began)), "from beginning to end")
	fact("", fmt.Sprintf("%d of %d", r.Done, r.Steps), "steps done"+failedNote(r))
	if n := t.widest(); n > 0 {
		fact("", fmt.Sprintf("%d of %d", t.most(), n), "most out of service, of allowed")
	}
	if b := t.longest(); b.step != "" {
		fact("", render.Duration((b.to - b.from).Round(time.Millisecond)), "longest: "+b.step)
	}
	p.put("</div>\n")
}

func failedNote(r lifecycle.RunRecord) string {
	if r.Failed == 0 {
		return ""
	}
	return fmt.Sprintf(", %d failed or blocked", r.Failed)
}

func writePicture(p *page, t model) {
	if len(t.lanes) == 0 {
		p.put("<h2>No step was begun</h2>\n")
		return
	}
	p.put("<h2>What was done when</h2>\n<div class=\"box\">\n<div class=\"legend\">")
	seen := map[string]bool{}
	cut, waits := false, false
	for _, b := range t.rows {
		class := colour(b.action)
		cut, waits = cut || b.state == barCut, waits || len(b.waits) > 0
		if b.state == barIdle || b.state == barFailed || seen[class] {
			continue
		}
		seen[class] = true
		p.put("<span><i class=\"%s\"></i>%s</span>", markup(class), b.action.Tone())
	}
	if waits {
		p.put("<span><i class=\"h\"></i>waits for a gate</span>")
	}
	if len(t.findings) > 0 {
		p.put("<span><i class=\"fail\"></i>failed</span>")
	}
	if len(t.allowed) > 0 {
		p.put("<span><i class=\"l\"></i>allowed out of service</span>")
	}
	p.put("</div>\n%s</div>\n", draw(t))
	if cut {
		p.put("<p class=\"sub\">Bars with a dashed edge were under way when the journal ended.</p>\n")
	}
	if n := len(t.idle); n > 0 {
		names := t.idle
		more := ""
		if n > 12 {
			names, more = names[:12], fmt.Sprintf(" and %d more", n-12)
		}
		p.put("<p class=\"sub\">Not begun: %s.</p>\n", strings.Join(names, ", ")+more)
	}
}

func writeFindings(p *page, ds lifecycle.Diagnostics) {
	if len(ds) == 0 {
		return
	}
	p.put("<h2 id=\"findings\">Findings</h2>\n")
	for _, d := range ds {
		label := render.SeverityLabel(d.Severity)
		p.put("<div class=\"finding %s\"><strong>%s: ", markup(strings.ToLower(label)), label)
		if subject := render.Subject(d.Subject); subject != "" && !strings.HasPrefix(d.Summary, subject) {
			p.put("<code>%s</code>: ", subject)
		}
		p.put("%s</strong>", words(d.Summary))
		p.paragraphs(d.Detail)
		if d.Hint != "" {
			p.put("<p class=\"try\">Try: %s</p>", words(d.Hint))
		}
		p.put("</div>\n")
	}
}

// openSteps is up to how many steps the table is open from the beginning.
const openSteps = 60

func writeSteps(p *page, t model) {
	if len(t.rows) == 0 {
		return
	}
	open := markup("")
	if len(t.rows) <= openSteps {
		open = ` open=""`
	}
	p.put("<h2>Steps</h2>\n<details%s><summary>%s, in the order of the plan</summary>\n<div class=\"box\"><table>\n", open,
		lifecycle.Count(len(t.rows), "step"))
	p.put("<tr><th>%s</th><th>Step</th><th class=\"n\">Began</th><th class=\"n\">Took</th><th "+
		"class=\"n\">Waited</th><th>Result</th><th>Why</th></tr>\n", t.column())
	for _, b := range t.rows {
		writeStep(p, b)
	}
	p.put("</table></div></details>\n")
}

func writeStep(p *page, b bar) {
	class := colour(b.action)
	who := b.target
	if who == "" {
		who = "cluster"
	}
	what := string(b.action)
	if !b.version.IsZero() {
		what += " " + b.version.String()
	}
	if b.state == barIdle {
		p.put("<tr class=\"idle\"><td class=\"w\">%s</td><td class=\"w\"><i class=\"%s\"></i>%s</td><td></td><td></td><td></td><td "+
			"class=\"w\">%s</td><td>%s</td></tr>\n", who, markup(class), what, b.state, words(b.reason))
		return
	}
	mark := map[barState]markup{barFailed: "r-failed", barCut: "r-cut"}[b.state]
	waited := ""
	if w := b.waited(); w > 0 {
		waited = render.Duration(w.Round(time.Millisecond))
	}
	p.put("<tr><td class=\"w\">%s</td><td class=\"w\"><i class=\"%s\"></i>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td "+
		"class=\"n\">%s</td><td class=\"w %s\">%s</td><td>%s</td></tr>\n",
		who, markup(class), what, moment(b.from), render.Duration((b.to - b.from).Round(time.Millisecond)), waited, mark, b.state,
		words(b.reason))
}

// waited is how long a step waited for gates.
func (b bar) waited() time.Duration {
	var sum time.Duration
	for _, w := range b.waits {
		sum += w.to - w.from
	}
	return sum
}
