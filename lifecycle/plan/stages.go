package plan

import (
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// stage is a stage in the making. One without steps is left out of the plan.
type stage struct {
	lifecycle.Stage
	steps []*step
}

// step is a step in the making: its id is not known before all steps are.
type step struct {
	lifecycle.Step
	// hop tells apart what a plan of several hops does more than once.
	hop   lifecycle.Version
	after []*step // must be done first
}

// stage opens a stage behind those there are.
func (p *planner) stage(id, title string, width int) *stage {
	s := &stage{Stage: lifecycle.Stage{ID: id, Title: title, Width: width}}
	p.work = append(p.work, s)
	return s
}

// add appends one target's steps, each of which needs the one before it.
func (s *stage) add(steps ...*step) {
	for i, st := range steps {
		st.Stage = s.ID
		if i > 0 {
			st.after = append(st.after, steps[i-1])
		}
		s.steps = append(s.steps, st)
	}
}

// write names the steps and puts them in order.
func write(work []*stage) (stages []lifecycle.Stage, steps []lifecycle.Step) {
	work = slices.DeleteFunc(slices.Clone(work), func(s *stage) bool { return len(s.steps) == 0 })
	nameSteps(work)
	for _, s := range work {
		stages = append(stages, s.Stage)
		for _, st := range s.steps {
			for _, need := range st.after {
				st.Needs = append(st.Needs, need.ID)
			}
			slices.Sort(st.Needs)
			st.Needs = slices.Compact(st.Needs)
			for i := range st.OnFailure { // named after the step whose way back they are
				back := &st.OnFailure[i]
				back.ID = back.Target + "/" + string(back.Action) + strings.TrimPrefix(st.ID, plainID(st))
				back.Stage = st.Stage
			}
			steps = append(steps, st.Step)
		}
	}
	return stages, steps
}

// nameSteps gives each step its id: the target and the action, and the version where the plan has that twice.
func nameSteps(work []*stage) {
	count, seen := map[string]int{}, map[string]int{}
	for _, s := range work {
		for _, st := range s.steps {
			count[plainID(st)]++
		}
	}
	for _, s := range work {
		for _, st := range s.steps {
			st.ID = plainID(st)
			if count[st.ID] > 1 && !st.hop.IsZero() {
				st.ID += "@" + st.hop.String()
			}
			if seen[st.ID]++; seen[st.ID] > 1 {
				st.ID += "#" + strconv.Itoa(seen[st.ID])
			}
		}
	}
}

func plainID(st *step) string {
	target := st.Target
	if target == "" {
		target = "cluster"
	}
	return target + "/" + string(st.Action)
}

// rollout opens a stage that takes nodes out of service: as many at once as the policy allows, canaries first, one failure domain at
// a time, and of those that could go the one whose budgets allow it.
func (p *planner) rollout(id, title string, nodes []*member, canary int) *stage {
	s := p.stage(id, title, p.width())
	s.Canary, s.Budgeted = min(canary, len(nodes)), true
	s.Domains = domains(nodes, p.site.Policy.Workers.FailureDomain)
	return s
}

// domains groups nodes by the value of a label, in the order of the values.
func domains(nodes []*member, label string) []lifecycle.Domain {
	if label == "" {
		return nil
	}
	var out []lifecycle.Domain
	for _, m := range nodes {
		name := m.domain(label)
		i := slices.IndexFunc(out, func(d lifecycle.Domain) bool { return d.Name == name })
		if i < 0 {
			i = len(out)
			out = append(out, lifecycle.Domain{Name: name})
		}
		out[i].Targets = append(out[i].Targets, m.Name)
	}
	return out
}

// inOrder sorts the nodes of a rollout: first those that are out of service already, since to disturb them costs nothing and others
// wait for them, then domain by domain, each in the order of the declaration.
func inOrder(nodes []*member, label string) []*member {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b *member) int {
		if x, y := a.outOfService(), b.outOfService(); x != y {
			if x {
				return -1
			}
			return 1
		}
		if label == "" {
			return 0
		}
		return compareDomains(a.domain(label), b.domain(label))
	})
	return nodes
}
