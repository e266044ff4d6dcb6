package forge

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// How much of a site a note names before its steps are unfolded.
const (
	findingsNamed = 5
	// readinessRows is how many findings of readiness it shows in its table.
	readinessRows = 60
	findingLines  = 10
	clausesNamed  = 3
	machinesNamed = 8
	fewMachines   = 3
	unitsListed   = 12
	// lineRunes is the most of a text that others wrote.
	lineRunes = 400
)

// section is a site's part of a note.
type section struct {
	SitePlan
	assessment
	opts NoteOptions
	// verdict sums the plan up; stages are its outline, and control names the controllers.
	verdict string
	stages  []render.Outline
	control map[string]bool
}

func newSection(s SitePlan, opts NoteOptions) section {
	if s.Site.Name == "" {
		s.Site.Name = s.Plan.Site
	}
	if len(s.Site.Cluster.Hosts) == 0 && s.Site.Provider != lifecycle.ProviderExternal {
		s.Site.Cluster.Hosts = hostsOf(s.Plan)
	}
	n := section{SitePlan: s, opts: opts, stages: render.Outlines(s.Plan), control: map[string]bool{}}
	for _, h := range s.Site.Cluster.Hosts {
		n.control[h.Name] = h.Role.IsController()
	}
	if s.Missing == "" && !s.Gone && !s.Plan.Empty() {
		n.verdict = sentence(render.Totals(s.Site, s.Plan))
	}
	n.assessment = assess(s, opts)
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
	return s.Action.OnlyControllers() || slices.ContainsFunc(slices.Concat(s.Before, s.After), func(g lifecycle.Gate) bool {
		return g.Target == s.Target && g.Kind.OfControlPlane()
	})
}

// line says in the table what merging does to the site, and why it needs attention or does not go.
func (s section) line() string {
	why := lifecycle.Markdown(lifecycle.Shorten(s.why(), lineRunes))
	switch {
	case s.urgency == urgencyBlocked || s.Plan.Empty():
		return why
	case why == "":
		return lifecycle.Markdown(s.sum())
	}
	return lifecycle.Markdown(s.sum()) + "<br>**" + sentence(why) + "**"
}

// sum is the verdict on the plan and how long it may take; "" when there is none.
func (s section) sum() string {
	if takes := render.EstimateText(s.Plan.Estimate); s.verdict != "" && takes != "" {
		return s.verdict + " It may take " + takes + "."
	}
	return s.verdict
}

// sections are the forms of the site's section, longest first: with every step, without, and none at all.
func (s section) sections() []string {
	if s.urgency == urgencyNone {
		return []string{""}
	}
	least := ""
	if guards := s.guards(); guards != "" { // whatever else there is no room for, this is told
		least = s.title() + guards
	}
	if s.Missing != "" {
		return []string{least} // the table says the rest
	}
	brief := s.brief(s.rehearsal(false))
	steps := s.steps()
	if steps == "" {
		return []string{brief, least}
	}
	where := "Its steps are more than a note can hold: see `kiban plan " + lifecycle.Markdown(s.Site.Name) + "`"
	if s.opts.Pipeline != "" {
		where += fmt.Sprintf(", or the artifacts of [the pipeline](%s)", s.opts.Pipeline)
	}
	return []string{s.brief(s.rehearsal(true)) + steps, brief + "\n" + where + ".\n", least}
}

func (s section) title() string {
	return fmt.Sprintf("\n#### %s `%s`: %s\n", s.urgency.sign(), lifecycle.Markdown(s.Site.Name), s.urgency.word())
}

// guards is the part of the section that tells of the site's guards.
func (s section) guards() string { return guardLines("What guards this site changes", s.Guards) }

// rehearsal says how the plan went in a twin of the site, with the rest to unfold; "" where that is not known, which is among the reasons.
func (s section) rehearsal(folded bool) string {
	switch {
	case s.Rehearsal == nil:
		return ""
	case folded:
		return "\n" + render.RehearsalMarkdown(*s.Rehearsal)
	}
	return "\n" + lifecycle.Markdown(sentence(s.Rehearsal.Sentence())) + ".\n"
}

// brief is what is read of a site without unfolding anything. rehearsal is what it says of that.
func (s section) brief(rehearsal string) string {
	var b strings.Builder
	b.WriteString(s.title())
	if s.Gone {
		b.WriteString(goneSection(s.Site.Name))
		return b.String()
	}
	if sum := s.sum(); sum != "" {
		fmt.Fprintf(&b, "\n%s\n", lifecycle.Markdown(sum))
	}
	for i, r := range slices.Concat(s.stops, s.reasons) {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "- **%s**\n", lifecycle.Markdown(sentence(lifecycle.Shorten(r, lineRunes))))
	}
	b.WriteString(s.guards())
	s.findings(&b)
	if r := s.Plan.Readiness; r != nil {
		b.WriteString(render.ReadinessMarkdown(*r, readinessRows))
	}
	for _, line := range []string{s.versionsLine(), promotionLine(s.Promoted), windowLine(s.SitePlan, s.opts)} {
		if line != "" {
			fmt.Fprintf(&b, "\n%s\n", line)
		}
	}
	b.WriteString(rehearsal)
	s.order(&b)
	s.units(&b)
	s.byHand(&b)
	return b.String()
}

// findings are the plan's, as many and as much of each as a busy reader takes in.
func (s section) findings(b *strings.Builder) {
	told := render.Told(s.Plan)
	shown := told[:min(len(told), findingsNamed)]
	for _, d := range shown {
		lines := strings.Split(strings.TrimSpace(d.Detail), "\n")
		if n := len(lines) - findingLines; n > 0 {
			lines = append(lines[:findingLines], "and "+lifecycle.Count(n, "more line"))
		}
		for i := range lines {
			lines[i] = lifecycle.Shorten(lines[i], lineRunes)
		}
		d.Summary, d.Detail = lifecycle.Shorten(d.Summary, lineRunes), strings.Join(lines, "\n")
		d.Hint = render.WholeRemedy(d.Hint, "kiban plan "+s.Site.Name+" says what to do.")
		b.WriteString(render.DiagnosticMarkdown(d))
	}
	if n := len(told) - len(shown); n > 0 {
		fmt.Fprintf(b, "\n%s: `kiban plan %s` shows all.\n", lifecycle.Count(n, "more finding"), lifecycle.Markdown(s.Site.Name))
	}
}

// order says which machines go when, and what is disturbed meanwhile.
func (s section) order(b *strings.Builder) {
	if render.MachineSteps(s.Plan).Empty() {
		return // the list of units says it all
	}
	for i, o := range s.stages {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%d. %s\n", i+1, s.stage(o))
		if means := meaning(s.Site, o.Stage); means != "" {
			fmt.Fprintf(b, "   - %s\n", means)
		}
	}
}

// stage says what a stage is for, who goes in it, how many at once, and what is disturbed meanwhile.
func (s section) stage(o render.Outline) string {
	var machines, units []string
	var does effects
	for _, g := range o.Groups {
		if lifecycle.IsUnit(g.Targets[0]) {
			units = append(units, g.Targets...)
			continue
		}
		if g.Targets[0] != "" {
			machines = append(machines, g.Targets...)
		}
		for _, step := range g.Steps {
			does.drains = does.drains || step.Action == lifecycle.ActionDrain
			does.disrupts = does.disrupts || step.Disrupts
			does.control = does.control || step.Disrupts && s.control[g.Targets[0]]
		}
	}
	text := lifecycle.Markdown(o.Stage.Title)
	switch {
	case len(machines) > 0:
		who := someNames(machines, machinesNamed)
		if !does.disrupts && len(machines) > fewMachines { // who they are matters where something happens to them
			who = lifecycle.Count(len(machines), "machine")
		}
		text += ": " + lifecycle.Markdown(who)
		if p := render.Pace(o.Stage, len(machines)); p != "" {
			text += ", " + p
		}
	case len(units) > 0:
		text += ": " + render.TargetsText(units)
	}
	return text + does.text(len(machines))
}

// effects are what a stage does to its machines beside its purpose.
type effects struct{ drains, disrupts, control bool }

func (e effects) text(machines int) string {
	switch {
	case e.control && machines == 1:
		return ". **Its API server goes away for a while**"
	case e.control:
		return ". **Each API server goes away for a while**"
	case e.drains && machines == 1:
		return ". **Its pods move away**"
	case e.drains:
		return ". **Pods move away from each**"
	case e.disrupts:
		return ". **Disturbed meanwhile**"
	}
	return ""
}

// steps is every step, to unfold.
func (s section) steps() string {
	if len(s.stages) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s: why, and behind which gates</summary>\n", lifecycle.Count(len(s.Plan.Steps), "step"))
	for i, o := range s.stages {
		render.StageMarkdown(&b, o, i+1)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}
