package plan

import (
	"cmp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// estimateBy is how many past runs tell how long an action takes: few, since machines and workloads change.
const estimateBy = 3

// manyAtOnce is how many targets are under way at once where a stage sets no limit; apply has the same bound.
const manyAtOnce = 64

// Estimate reckons how long a plan takes by what its actions took in the newest of the runs that had each: targets side by side as the
// stage's width, canaries and failure domains allow, stages one after another. Nil when an action that takes its time was never seen, or an
// operator's work is part of the plan: half an estimate would be a wrong one. How long a gate before a step is waited for, such as a
// disruption budget, is not in it.
func Estimate(p lifecycle.Plan, runs []lifecycle.RunRecord) *lifecycle.Estimate {
	if p.Empty() {
		return nil
	}
	took, used := averages(p, runs)
	if took == nil {
		return nil
	}
	var total time.Duration
	for _, s := range p.Stages {
		total += stageTakes(s, p.Steps, took)
	}
	if total <= 0 {
		return nil
	}
	return &lifecycle.Estimate{Duration: total, Runs: used}
}

// averages are how long each action of a plan took, and how many runs say so; nil when one that matters is not known.
func averages(p lifecycle.Plan, runs []lifecycle.RunRecord) (took map[lifecycle.Action]time.Duration, used int) {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b lifecycle.RunRecord) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	took = map[lifecycle.Action]time.Duration{}
	known := map[string]bool{}
	for _, s := range p.Steps {
		if _, done := took[s.Action]; done {
			continue
		}
		average, by := averageOf(s.Action, runs)
		if lasts := s.Action.Lasts(); lasts == lifecycle.LastsOperator || average == 0 && lasts != lifecycle.LastsMoment {
			return nil, 0
		}
		took[s.Action] = average
		for _, id := range by {
			known[id] = true
		}
	}
	return took, len(known)
}

// averageOf is how long a step of an action took in the newest runs that had any, and in which. Runs are newest first.
func averageOf(a lifecycle.Action, runs []lifecycle.RunRecord) (average time.Duration, by []string) {
	var total time.Duration
	steps := 0
	for _, r := range runs {
		i := slices.IndexFunc(r.Took, func(t lifecycle.Took) bool { return t.Action == a && t.Steps > 0 && t.Total > 0 })
		if i < 0 {
			continue
		}
		total, steps = total+r.Took[i].Total, steps+r.Took[i].Steps
		if by = append(by, r.ID); len(by) == estimateBy {
			break
		}
	}
	if steps == 0 {
		return 0, nil
	}
	return total / time.Duration(steps), by
}

// stageTakes is how long a stage takes: the steps of a target one after another, targets side by side as the stage lets them.
func stageTakes(stage lifecycle.Stage, steps []lifecycle.Step, took map[lifecycle.Action]time.Duration) time.Duration {
	var order []string
	each := map[string]time.Duration{}
	for _, s := range steps {
		if s.Stage != stage.ID {
			continue
		}
		if _, seen := each[s.Target]; !seen {
			order = append(order, s.Target)
		}
		each[s.Target] += took[s.Action]
	}
	if len(stage.Domains) == 0 {
		return sideBySide(order, each, stage.Canary, stage.Width)
	}
	var total time.Duration
	canaries := stage.Canary
	for _, own := range byDomain(stage, order) { // one domain at a time
		total += sideBySide(own, each, canaries, stage.Width)
		canaries = max(0, canaries-len(own))
	}
	return total
}

// byDomain are the targets of each failure domain; those of none come last.
func byDomain(stage lifecycle.Stage, order []string) [][]string {
	var out [][]string
	left := slices.Clone(order)
	for _, d := range stage.Domains {
		var own []string
		for _, t := range order {
			if slices.Contains(d.Targets, t) {
				own = append(own, t)
			}
		}
		left = slices.DeleteFunc(left, func(t string) bool { return slices.Contains(own, t) })
		out = append(out, own)
	}
	return append(out, left)
}

// sideBySide is how long targets take when the first ones go one by one, and of the others as many at once as the width allows: each starts
// as soon as another has finished.
func sideBySide(order []string, each map[string]time.Duration, canaries, width int) time.Duration {
	if width <= 0 {
		width = manyAtOnce
	}
	canaries = min(canaries, len(order))
	var total time.Duration
	for _, t := range order[:canaries] {
		total += each[t]
	}
	var busy []time.Duration // when each place in the window is free again
	for _, t := range order[canaries:] {
		if len(busy) < width {
			busy = append(busy, each[t])
			continue
		}
		next := 0
		for i := range busy {
			if busy[i] < busy[next] {
				next = i
			}
		}
		busy[next] += each[t]
	}
	if len(busy) == 0 {
		return total
	}
	return total + slices.Max(busy)
}
