package lifecycle

import "slices"

// AtOnce is the most targets that are under way at once where a stage sets no limit: as many SSH sessions as a runner bears.
const AtOnce = 64

// Progress is how far a stage's targets have come, for the decision which may start next.
type Progress struct {
	// Waiting are the targets that have not started, in the plan's order; Running those under way.
	Waiting, Running []string
	Finished         int
	// Out are targets that an earlier run took out of service and did not return (AlreadyOut).
	Out []string
}

// Next are the targets that may start now, best first. None: wait until one under way finishes, or there is none left.
//
// Canaries go one by one before the window opens. A window that slides: a target may start as soon as another has finished,
// whichever that was. With failure domains, only the domain that has targets under way, or else the first one that has any
// left, may send another.
//
// What is out of service already takes up a place in the window before its turn, too. Where such targets fill it, only they may start.
func (s Stage) Next(p Progress) []string {
	free := s.widthAt(p) - len(p.Running)
	if len(p.Waiting) == 0 || free <= 0 {
		return nil
	}
	next := s.nextInDomain(p)
	out := func(t string) bool { return slices.Contains(p.Out, t) }
	away := slices.DeleteFunc(slices.Clone(p.Waiting), func(t string) bool { return !out(t) })
	if len(away) < free {
		return next
	}
	return slices.DeleteFunc(slices.Clone(next), func(t string) bool { return !out(t) })
}

// nextInDomain are the waiting targets of the failure domain whose turn it is.
func (s Stage) nextInDomain(p Progress) []string {
	if len(s.Domains) == 0 {
		return p.Waiting
	}
	current := s.domainOf(p.Waiting[0])
	if len(p.Running) > 0 {
		current = s.domainOf(p.Running[0])
	}
	var next []string
	for _, t := range p.Waiting {
		if s.domainOf(t) == current {
			next = append(next, t)
		}
	}
	return next
}

// widthAt is how many targets may be under way at this point of the stage.
func (s Stage) widthAt(p Progress) int {
	switch {
	case p.Finished < s.Canary:
		return 1
	case s.Width == 0:
		return AtOnce
	}
	return s.Width
}

// domainOf is the name of a target's failure domain; "" for none.
func (s Stage) domainOf(target string) string {
	for _, d := range s.Domains {
		if slices.Contains(d.Targets, target) {
			return d.Name
		}
	}
	return ""
}

// Started is the progress once a waiting target is under way; Ended, once one under way has finished.
func (p Progress) Started(target string) Progress {
	p.Waiting, p.Running = leftOf(p.Waiting, target), append(slices.Clone(p.Running), target)
	return p
}

// Ended is described at Started.
func (p Progress) Ended(target string) Progress {
	p.Running = leftOf(p.Running, target)
	p.Finished++
	return p
}

func leftOf(targets []string, target string) []string {
	return slices.DeleteFunc(slices.Clone(targets), func(t string) bool { return t == target })
}

// AlreadyOut are the targets of a stage that takes nodes out of service which are out when the plan begins: they are returned to service,
// but not cordoned before that.
func (p Plan) AlreadyOut(stage string) []string {
	order, steps := p.Targets(stage)
	does := func(t string, a Action) bool {
		return slices.ContainsFunc(steps[t], func(s Step) bool { return s.Action == a })
	}
	return slices.DeleteFunc(order, func(t string) bool { return !does(t, ActionUncordon) || does(t, ActionCordon) })
}

// Targets are the stage's targets in the order of their first steps, and their steps.
func (p Plan) Targets(stage string) (order []string, steps map[string][]Step) {
	steps = map[string][]Step{}
	for _, s := range p.Steps {
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
