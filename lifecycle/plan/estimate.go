package plan

import (
	"cmp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// estimateBy is how many past runs tell how long an action takes: few, since machines and workloads change.
const estimateBy = 3

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
		total += stageTakes(s, p, func(s lifecycle.Step) time.Duration { return took[s.Action] })
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

// stageTakes is how long a stage takes: it is played as the runner would run it, the steps of a target one after another.
func stageTakes(stage lifecycle.Stage, plan lifecycle.Plan, took func(lifecycle.Step) time.Duration) time.Duration {
	order, steps := plan.Targets(stage.ID)
	p := lifecycle.Progress{Waiting: order}
	if stage.Budgeted {
		p.Out = plan.AlreadyOut(stage.ID)
	}
	var now time.Duration
	ends := map[string]time.Duration{} // of those under way
	for {
		for next := stage.Next(p); len(next) > 0; next = stage.Next(p) {
			p = p.Started(next[0])
			ends[next[0]] = now
			for _, s := range steps[next[0]] {
				ends[next[0]] += took(s)
			}
		}
		if len(p.Running) == 0 {
			return now
		}
		first := slices.MinFunc(p.Running, func(a, b string) int { return cmp.Compare(ends[a], ends[b]) })
		now = ends[first]
		p = p.Ended(first)
	}
}
