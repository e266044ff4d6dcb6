package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// diffUnfolded is how many changes a merge request shows without being asked.
const diffUnfolded = 20

// DiffMarkdown shows what a declaration changes for a merge request: a block of changes, which GitLab shows in colours, for each subject.
func DiffMarkdown(w io.Writer, d DeclaredDiff) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### kiban diff: `%s`\n\n**%s**, %s\n", d.Site, lifecycle.Markdown(d.verdict()), lifecycle.Markdown(d.span()))
	folded := len(d.Changes) > diffUnfolded
	if folded {
		b.WriteString("\n<details><summary>What changes</summary>\n")
	}
	for _, g := range declaredGroups(d.Changes) {
		fmt.Fprintf(&b, "\n**%s**\n\n```diff\n", lifecycle.Markdown(g.title()))
		for _, c := range g.changes {
			sign := declaredSign(c.Kind)
			if sign == "~" {
				sign = "!" // what a diff shows as changed
			}
			fmt.Fprintf(&b, "%s %s\n", sign, lifecycle.OneLine(declaredText(c)))
		}
		b.WriteString("```\n")
	}
	if folded {
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
