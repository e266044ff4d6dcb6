package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// How much of a site a note names before its steps are unfolded.
const (
	findingsNamed = 5
	machinesNamed = 8
	unitsListed   = 12
)

// noteSite is a site's part of a note.
type noteSite struct {
	SitePlan
	urgency urgency
	reasons []string
	opts    NoteOptions
	// verdict sums the plan up; stages are its outline, and control names the controllers.
	verdict string
	stages  []outline
	control map[string]bool
}

func newNoteSite(s SitePlan, opts NoteOptions) noteSite {
	if s.Site.Name == "" {
		s.Site.Name = s.Plan.Site
	}
	if len(s.Site.Cluster.Hosts) == 0 && s.Site.Provider != lifecycle.ProviderExternal {
		s.Site.Cluster.Hosts = hostsOf(s.Plan)
	}
	n := noteSite{SitePlan: s, opts: opts, stages: outlines(s.Plan), control: map[string]bool{}}
	for _, h := range s.Site.Cluster.Hosts {
		n.control[h.Name] = h.Role.IsController()
	}
	if s.Missing == "" && !s.Plan.Empty() {
		totals := Totals(s.Site, s.Plan)
		n.verdict = strings.ToUpper(totals[:1]) + totals[1:]
	}
	n.urgency, n.reasons = assess(s)
	return n
}

// hostsOf are the machines that a plan does something to, where the site itself could not be read.
func hostsOf(p lifecycle.Plan) []lifecycle.Host {
	var hosts []lifecycle.Host
	at := map[string]int{}
	for _, s := range p.Steps {
		if s.Target == "" || lifecycle.IsUnit(s.Target) {
			continue
		}
		i, seen := at[s.Target]
		if !seen {
			i = len(hosts)
			at[s.Target] = i
			hosts = append(hosts, lifecycle.Host{Name: s.Target, Role: lifecycle.RoleWorker})
		}
		if ofController(s) {
			hosts[i].Role = lifecycle.RoleController
		}
	}
	return hosts
}

// ofController reports whether only a controller gets such a step.
func ofController(s lifecycle.Step) bool {
	switch s.Action {
	case lifecycle.ActionInitialize, lifecycle.ActionJoinController, lifecycle.ActionConfigure, lifecycle.ActionLeaveEtcd, lifecycle.ActionRestore:
		return true
	}
	return slices.ContainsFunc(slices.Concat(s.Before, s.After), func(g lifecycle.Gate) bool {
		return g.Target == s.Target && (g.Kind == lifecycle.GateEtcdQuorum || g.Kind == lifecycle.GateAPIReady || g.Kind == lifecycle.GateEtcdMember)
	})
}

// line says in the table what merging does to the site, or why it does not.
func (s noteSite) line() string {
	if s.urgency == urgencyBlocked || s.Plan.Empty() {
		return strings.Join(s.reasons, "; ")
	}
	return s.verdict
}

// sections are the forms of the site's section, longest first: with every step, without, and none at all.
func (s noteSite) sections() []string {
	if s.urgency == urgencyNone {
		return []string{""}
	}
	brief := s.brief()
	steps := s.steps()
	if steps == "" {
		return []string{brief, ""}
	}
	where := "Its steps are more than a note can hold: see `kiban plan " + s.Site.Name + "`"
	if s.opts.Pipeline != "" {
		where += fmt.Sprintf(", or the artifacts of [the pipeline](%s)", s.opts.Pipeline)
	}
	return []string{brief + steps, brief + "\n" + where + ".\n", ""}
}

// brief is what is read of a site without unfolding anything.
func (s noteSite) brief() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n#### %s `%s`: %s\n", s.urgency.sign(), cell(s.Site.Name), s.urgency.word())
	if s.verdict != "" {
		b.WriteString("\n" + cell(s.verdict))
		if takes := estimateText(s.Plan.Estimate); takes != "" {
			b.WriteString(" It may take " + takes + ".")
		}
		b.WriteString("\n")
	}
	if len(s.reasons) > 0 && (s.urgency == urgencyAttention || s.Missing != "") {
		b.WriteByte('\n')
		for _, r := range s.reasons {
			fmt.Fprintf(&b, "- **%s**\n", cell(strings.ToUpper(r[:1])+r[1:]))
		}
	}
	shown := s.Plan.Diagnostics[:min(len(s.Plan.Diagnostics), findingsNamed)]
	for _, d := range shown {
		b.WriteString(markdownDiagnostic(d))
	}
	if n := len(s.Plan.Diagnostics) - len(shown); n > 0 {
		fmt.Fprintf(&b, "\n%s: `kiban plan %s` shows all.\n", count(n, "more finding"), s.Site.Name)
	}
	if v := s.versions("release notes: "); v != "" && len(s.Plan.Hops) > 0 {
		fmt.Fprintf(&b, "\nk0s %s\n", v)
	}
	s.order(&b)
	s.units(&b)
	return b.String()
}

// versions are those of k0s, from and to. Each that the site gets links to what its release says.
func (s noteSite) versions(label string) string {
	chain := strings.Split(versions(s.Plan), " -> ")
	if len(s.Plan.Hops) == 0 {
		return ""
	}
	if label == "" {
		return cell(strings.Join(chain, " → "))
	}
	var links []string
	for _, v := range s.Plan.Hops {
		links = append(links, fmt.Sprintf("[%s](https://github.com/k0sproject/k0s/releases/tag/%s)", v, strings.ReplaceAll(v.String(), "+", "%2B")))
	}
	return cell(strings.Join(chain, " → ")) + " (" + label + strings.Join(links, ", ") + ")"
}

// order says which machines go when, and what is disturbed meanwhile.
func (s noteSite) order(b *strings.Builder) {
	if byMachine(s.Plan).Empty() {
		return // the list of units says it all
	}
	n := 0
	window := false
	for _, o := range s.stages {
		var machines, units []string
		drains, disrupts, control := false, false, false
		for _, g := range o.groups {
			if lifecycle.IsUnit(g.targets[0]) {
				units = append(units, g.targets...)
				continue
			}
			if g.targets[0] != "" {
				machines = append(machines, g.targets...)
			}
			for _, step := range g.steps {
				drains = drains || step.Action == lifecycle.ActionDrain
				disrupts = disrupts || step.Disrupts
				control = control || step.Disrupts && s.control[g.targets[0]]
				window = window || slices.ContainsFunc(step.Before, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateWindow })
			}
		}
		text := cell(o.stage.Title)
		switch {
		case len(machines) > 0:
			text += ": " + cell(someNames(machines, machinesNamed))
			if p := pace(o.stage, len(machines)); p != "" {
				text += ", " + p
			}
		case len(units) > 0:
			text += ": " + whoText(units)
		}
		switch {
		case control:
			text += ". **Each API server goes away for a while**"
		case drains:
			text += ". **Pods move away from each**"
		case disrupts:
			text += ". **Disturbed meanwhile**"
		}
		if n++; n == 1 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%d. %s\n", n, text)
	}
	if window {
		b.WriteString("\nIt waits for a maintenance window.\n")
	}
}

// units lists what becomes of addons, tenants and objects.
func (s noteSite) units(b *strings.Builder) {
	var lines []string
	for _, step := range s.Plan.Steps {
		if !lifecycle.IsUnit(step.Target) {
			continue
		}
		name, detail := unitHead(step)
		line := fmt.Sprintf("- %s **%s** %s", unitSymbolText(step), cell(name), cell(strings.NewReplacer(" -> ", " → ", "  ", ": ").Replace(detail)))
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
	return [...]string{"Change", "Add", "Remove"}[strings.Index("~+-", unitSymbol(s))]
}

var githubPages = regexp.MustCompile(`^https://([A-Za-z0-9-]+)\.github\.io/([A-Za-z0-9._-]+)/?$`)

// releases is where the project of an addon's chart writes about its releases, when the chart changes its version and its repository is
// on GitHub's pages, whose address names the project: https://metallb.github.io/metallb.
func (s noteSite) releases(step lifecycle.Step) string {
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

// steps is every step, to unfold.
func (s noteSite) steps() string {
	if len(s.stages) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s: why, and behind which gates</summary>\n", count(len(s.Plan.Steps), "step"))
	for i, o := range s.stages {
		markdownStage(&b, o, i+1)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}
