package apply

import "kiban.dev/kiban/lifecycle"

// progress is how far a stage's targets have come, for the decision which may start next.
type progress struct {
	// waiting are the targets that have not started, in the plan's order; running those under way.
	waiting, running []string
	finished         int
}

// candidates are the targets that may start now, best first. None: wait until one under way finishes, or there is none left.
//
// Canaries go one by one before the window opens. A window that slides: a target may start as soon as another has finished,
// whichever that was. With failure domains, only the domain that has targets under way, or else the first one that has any
// left, may send another.
func candidates(stage lifecycle.Stage, p progress) []string {
	if len(p.waiting) == 0 || len(p.running) >= width(stage, p) {
		return nil
	}
	if len(stage.Domains) == 0 {
		return p.waiting
	}
	current := domainOf(stage, p.waiting[0])
	if len(p.running) > 0 {
		current = domainOf(stage, p.running[0])
	}
	var cs []string
	for _, t := range p.waiting {
		if domainOf(stage, t) == current {
			cs = append(cs, t)
		}
	}
	return cs
}

// width is how many targets may be under way at this point of the stage.
func width(stage lifecycle.Stage, p progress) int {
	switch {
	case p.finished < stage.Canary:
		return 1
	case stage.Width == 0:
		return unlimited
	}
	return stage.Width
}

// unlimited is the most targets that are under way at once where a stage sets no limit: as many SSH sessions as a runner bears.
const unlimited = 64

func domainOf(stage lifecycle.Stage, target string) string {
	for _, d := range stage.Domains {
		for _, t := range d.Targets {
			if t == target {
				return d.Name
			}
		}
	}
	return ""
}

// targets are the stage's targets in the order of their first steps, and their steps.
func targets(plan lifecycle.Plan, stage string) (order []string, steps map[string][]lifecycle.Step) {
	steps = map[string][]lifecycle.Step{}
	for _, s := range plan.Steps {
		if s.Stage != stage {
			continue
		}
		if steps[s.Target] == nil {
			order = append(order, s.Target)
		}
		steps[s.Target] = append(steps[s.Target], s)
	}
	return order, steps
}
