package forge

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// guardsTold is how many changes of guards a note has of a site, and guardRunes how much of a value.
const (
	guardsTold = 20
	guardRunes = 200
)

// guardReasons are what a reviewer must know of what guards a site.
func guardReasons(s SitePlan) []string {
	var out []string
	if s.New {
		out = append(out, "its overlay is new: its plan is made without any tier's variables, and its first apply waits for somebody to start it")
	}
	if s.Unguarded != "" {
		out = append(out, "what guards this site could not be compared: "+s.Unguarded)
	}
	if len(s.Guards) > 0 {
		var names []string
		for _, c := range s.Guards {
			if name := guardName(c); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		out = append(out, "what guards this site changes: "+someNames(names, 6))
	}
	return out
}

// guardName says in short what guard a change is of: "upgrade.windows", "host worker-3".
func guardName(c lifecycle.DeclaredChange) string {
	if c.Subject != "site" {
		return c.Subject
	}
	steps := lifecycle.SplitField(strings.TrimPrefix(strings.TrimPrefix(c.Path, "spec."), "metadata."))
	name := steps[0].Key
	if len(steps) > 1 && !steps[1].Item && name == "upgrade" {
		name += "." + steps[1].Key
	}
	return name
}

// guardLines are the changes of guards, a line each, with their values.
func guardLines(title string, changes []lifecycle.DeclaredChange) string {
	if len(changes) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n**%s**, and no step shows it:\n\n", title)
	for _, c := range changes[:min(len(changes), guardsTold)] {
		where := c.Path
		if c.Subject != "site" {
			where = strings.TrimSpace(c.Subject + " " + c.Path)
		}
		fmt.Fprintf(&b, "- %s: %s → %s", lifecycle.Markdown(where), guardValue(c.From), guardValue(c.To))
		if c.Note != "" {
			fmt.Fprintf(&b, " (%s)", lifecycle.Markdown(c.Note))
		}
		b.WriteByte('\n')
	}
	if n := len(changes) - guardsTold; n > 0 {
		fmt.Fprintf(&b, "- and %d more: `kiban diff SITE --from REVISION` shows all\n", n)
	}
	return b.String()
}

func guardValue(v string) string {
	if v == "" {
		return "not there"
	}
	return lifecycle.Markdown(lifecycle.Shorten(v, guardRunes))
}
