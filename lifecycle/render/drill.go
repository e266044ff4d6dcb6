package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// DrillText shows what became of a drill. Its findings are for whoever shows errors.
func DrillText(w io.Writer, d lifecycle.Drill, style Style) error {
	var b strings.Builder
	b.WriteString(style.paint(codeBold, d.Sentence(d.Backup)+".") + "\n")
	for _, line := range drillLines(d) {
		b.WriteString(strings.Join(wrapText(line, 4, style.columns), "\n") + "\n")
	}
	var rows []string
	for _, k := range d.Kinds {
		rows = append(rows, row(k.Kind, hadText(k), fmt.Sprint(k.Held), fmt.Sprint(k.Back), k.Lost))
	}
	if len(rows) > 0 {
		table(&b, style, "KIND\tCLUSTER HAD\tBACKUP HAS\tCAME BACK\tLOST", rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// drillLines are the sentences about a drill.
func drillLines(d lifecycle.Drill) []string {
	var out []string
	if d.Taken != "" {
		of := ""
		if !d.Version.IsZero() {
			of = " of " + d.Version.String()
		}
		out = append(out, fmt.Sprintf("Taken %s UTC%s, kept in %s.", clockOf(d.Taken), of, d.Place))
	}
	if len(d.Kinds) == 0 {
		return out
	}
	out = append(out, fmt.Sprintf("Every object was decoded, and %s read whole. The drill took %s.", lifecycle.Count(d.Read, "object"),
		lifecycle.Seconds(d.Took)))
	switch len(d.Left) {
	case 0:
		out = append(out, "After such a restore nothing would be left to do on the controllers.")
	default:
		out = append(out, fmt.Sprintf("After such a restore %s would be left to do on the controllers: %s.", lifecycle.Count(len(d.Left),
			"step"),
			strings.Join(d.Left, "; ")))
	}
	if len(d.Recorded) > 0 {
		out = append(out, "Recorded in "+lifecycle.Enumerate(d.Recorded)+".")
	}
	if len(d.Differences) > 0 {
		var what []string
		for _, x := range d.Differences {
			what = append(what, x.What)
		}
		out = append(out, "Not as at the site: "+strings.Join(what, "; ")+".")
	}
	return out
}

func hadText(k lifecycle.DrilledKind) string {
	if k.Had.Most == 0 {
		return ""
	}
	return k.Had.String()
}

// DrillMarkdown shows what became of a drill, for a merge request or a job's artifact.
func DrillMarkdown(w io.Writer, d lifecycle.Drill) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s.\n\n", lifecycle.Markdown("kiban drill "+d.Site), d.Sentence("`"+d.Backup+"`"))
	for _, line := range drillLines(d) {
		fmt.Fprintf(&b, "- %s\n", lifecycle.Markdown(line))
	}
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "- **%s**: %s\n", f.Severity, lifecycle.Markdown(lifecycle.OneLine(f.Error())))
		if f.Hint != "" {
			fmt.Fprintf(&b, "  <br>%s\n", lifecycle.Markdown(lifecycle.OneLine(f.Hint)))
		}
	}
	if len(d.Kinds) > 0 {
		b.WriteString("\n| kind | cluster had | backup has | came back | lost |\n|---|---|---|---|---|\n")
		for _, k := range d.Kinds {
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %s |\n", lifecycle.Markdown(k.Kind), hadText(k), k.Held, k.Back,
				lifecycle.Markdown(lifecycle.OneLine(k.Lost)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
