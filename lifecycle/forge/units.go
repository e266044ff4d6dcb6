package forge

import (
	"fmt"
	"regexp"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// units lists what becomes of addons, tenants and objects.
func (s section) units(b *strings.Builder) {
	var lines []string
	for _, step := range s.Plan.Steps {
		if !lifecycle.IsUnit(step.Target) {
			continue
		}
		name, detail := render.UnitHead(step)
		line := fmt.Sprintf("- %s **%s** %s", unitSymbolText(step), lifecycle.Markdown(name),
			lifecycle.Markdown(strings.NewReplacer(" -> ", " → ", "  ", ": ").Replace(detail)))
		if url := s.releases(step); url != "" {
			line += fmt.Sprintf(" ([releases](%s))", url)
		}
		lines = append(lines, line+"\n")
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n" + strings.Join(lines[:min(len(lines), unitsListed)], ""))
	if n := len(lines) - unitsListed; n > 0 {
		fmt.Fprintf(b, "- and %d more\n", n)
	}
}

// unitSymbolText is what becomes of a unit, as a word: a list's line can't begin with the signs.
func unitSymbolText(s lifecycle.Step) string {
	return [...]string{"Change", "Add", "Remove"}[strings.Index("~+-", render.UnitSymbol(s))]
}

// byHand lists apart what somebody has changed in the cluster: merging puts it back, whatever else the merge request is about.
func (s section) byHand(b *strings.Builder) {
	var lines []string
	for _, step := range s.Plan.Steps {
		for _, line := range render.ByHand(step) {
			lines = append(lines, "- "+lifecycle.Markdown(lifecycle.Shorten(line, lineRunes))+"\n")
		}
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n**Changed by hand in the cluster, and not by this merge request:**\n\n" + strings.Join(lines[:min(len(lines),
		unitsListed)], ""))
	if n := len(lines) - unitsListed; n > 0 {
		fmt.Fprintf(b, "- and %d more\n", n)
	}
}

var githubPages = regexp.MustCompile(`^https://([A-Za-z0-9-]+)\.github\.io/([A-Za-z0-9._-]+)/?$`)

// releases is where the project of an addon's chart writes about its releases, when the chart changes its version and its repository is
// on GitHub's pages, whose address names the project: https://metallb.github.io/metallb.
func (s section) releases(step lifecycle.Step) string {
	for _, a := range s.Site.Addons {
		if a.Unit() != step.Target || a.Chart == nil || !strings.Contains(step.Chart, " -> ") {
			continue
		}
		if m := githubPages.FindStringSubmatch(a.Chart.Repo); m != nil {
			return "https://github.com/" + m[1] + "/" + m[2] + "/releases"
		}
	}
	return ""
}
