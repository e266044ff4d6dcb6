package render

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Outline is a plan as people read it: stages, in each the targets in order, and targets that get the same treatment together.
type Outline struct {
	Stage  lifecycle.Stage
	Groups []Group
}

// Group is one or more machines of a stage whose steps differ in nothing but the machine's name, or one unit.
type Group struct {
	Targets []string
	// Steps are those of the first target.
	Steps []lifecycle.Step
}

// placeholder stands for the name of each machine of a group.
const placeholder = "<machine>"

func Outlines(p lifecycle.Plan) []Outline {
	var out []Outline
	all := treatments(p)
	for _, stage := range p.Stages {
		o := Outline{Stage: stage}
		shapes := map[string]int{}
		for _, t := range all[stage.ID] {
			key := shape(t.steps)
			if i, ok := shapes[key]; ok && t.target != "" && !lifecycle.IsUnit(t.target) {
				o.Groups[i].Targets = append(o.Groups[i].Targets, t.target)
				continue
			}
			shapes[key] = len(o.Groups)
			o.Groups = append(o.Groups, Group{Targets: []string{t.target}, Steps: t.steps})
		}
		out = append(out, o)
	}
	return out
}

// treatment is what a stage does to one target.
type treatment struct {
	target string
	steps  []lifecycle.Step
}

// treatments are those of each stage, in the order of the plan; in one pass, for sites of thousands of machines.
func treatments(p lifecycle.Plan) map[string][]treatment {
	out := map[string][]treatment{}
	at := map[[2]string]int{}
	for i := range p.Steps {
		stage, target := p.Steps[i].Stage, p.Steps[i].Target
		n, seen := at[[2]string{stage, target}]
		if !seen {
			n = len(out[stage])
			at[[2]string{stage, target}] = n
			out[stage] = append(out[stage], treatment{target: target})
		}
		out[stage][n].steps = append(out[stage][n].steps, p.Steps[i])
	}
	return out
}

// shape is what the steps of one target say, without its name.
func shape(steps []lifecycle.Step) string {
	var b strings.Builder
	for _, s := range steps {
		s = anonymous(s)
		b.WriteString(string(s.Action) + "\x00" + s.Version.String() + "\x00" + s.From.String() + "\x00" + s.Reason + "\x00" +
			strings.Join(s.Changes, "\x00"))
		for _, g := range slices.Concat(s.Before, s.After) {
			b.WriteString("\x00" + g.String())
		}
		b.WriteString("\x00" + wayBack(s))
		b.WriteString("\x01")
	}
	return b.String()
}

// anonymous is the step with the placeholder for its target's name.
func anonymous(s lifecycle.Step) lifecycle.Step {
	if s.Target == "" {
		return s
	}
	name := func(text string) string { return replaceWord(text, s.Target, placeholder) }
	gates := func(gs []lifecycle.Gate) []lifecycle.Gate {
		gs = slices.Clone(gs)
		for i := range gs {
			if gs[i].Target == s.Target {
				gs[i].Target = placeholder
			}
		}
		return gs
	}
	target := s.Target
	s.Reason, s.Changes = name(s.Reason), slices.Clone(s.Changes)
	for i := range s.Changes {
		s.Changes[i] = replaceWord(s.Changes[i], target, placeholder)
	}
	s.Before, s.After = gates(s.Before), gates(s.After)
	return s
}

// replaceWord replaces old where it stands as a whole name: worker-1, but not in worker-10.
func replaceWord(text, old, replacement string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, old)
		if i < 0 {
			return b.String() + text
		}
		end := i + len(old)
		whole := (i == 0 || !nameByte(text[i-1])) && (end == len(text) || !nameByte(text[end]))
		b.WriteString(text[:i])
		if whole {
			b.WriteString(replacement)
		} else {
			b.WriteString(old)
		}
		text = text[end:]
	}
}

func nameByte(c byte) bool {
	return c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
