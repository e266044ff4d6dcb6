package review

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// remains says why steps of a plan are not what a run of the reviewed one left. Gates, reasons and the order are kiban's own; the machines,
// what is done to them, to which version and with which values must have been reviewed.
func remains(reviewed, now lifecycle.Plan) []string {
	out := guardChanges(reviewed, now)
	if reviewed.Target != now.Target {
		out = append(out, fmt.Sprintf("%s is declared, and %s was reviewed", k0sName(now.Target), k0sName(reviewed.Target)))
	}
	for _, s := range now.Stages {
		if r, ok := stageOf(reviewed, s.ID); ok && faster(s.Width, r.Width) {
			out = append(out, fmt.Sprintf("~ %s: %s at once, and %s were reviewed", s.ID, atOnce(s.Width), atOnce(r.Width)))
		}
	}
	for _, s := range now.Steps {
		if lifecycle.IsUnit(s.Target) {
			out = append(out, unitRemains(reviewed, s, reviewed.SiteDigest == now.SiteDigest)...)
		} else {
			out = append(out, machineRemains(knownOf(reviewed, s.Target), s)...)
		}
	}
	return out
}

func stageOf(p lifecycle.Plan, id string) (lifecycle.Stage, bool) {
	i := slices.IndexFunc(p.Stages, func(s lifecycle.Stage) bool { return s.ID == id })
	if i < 0 {
		return lifecycle.Stage{}, false
	}
	return p.Stages[i], true
}

// faster compares widths, of which 0 has no limit.
func faster(a, b int) bool { return b != 0 && (a == 0 || a > b) }

func atOnce(width int) string {
	if width == 0 {
		return "all"
	}
	return fmt.Sprint(width)
}

// known is what was reviewed of one machine.
type known struct {
	steps    []lifecycle.Step
	versions []lifecycle.Version // there before, on the way and in the end
	changes  []string
}

func knownOf(reviewed lifecycle.Plan, target string) known {
	k := known{versions: []lifecycle.Version{{}}}
	add := func(s lifecycle.Step) {
		k.versions = append(k.versions, s.Version, s.From)
		k.changes = append(k.changes, s.Changes...)
	}
	for _, s := range reviewed.Steps {
		if s.Target != target {
			continue
		}
		k.steps = append(k.steps, s)
		add(s)
		for _, back := range s.OnFailure {
			add(back)
		}
	}
	return k
}

func (k known) has(is func(lifecycle.Action) bool) bool {
	return slices.ContainsFunc(k.steps, func(s lifecycle.Step) bool { return is(s.Action) })
}

// recovers reports whether the action only brings to its end what a run that was cut off left on a machine that it was to change.
func (k known) recovers(a lifecycle.Action) bool {
	if len(k.steps) == 0 {
		return false
	}
	switch a.Resume() {
	case lifecycle.ResumeEnds:
		return true
	case lifecycle.ResumeTurn:
		return k.has(func(r lifecycle.Action) bool { return r.Resume() == lifecycle.ResumeTurn })
	case lifecycle.ResumeInstall:
		return k.has(lifecycle.Action.InstallsService)
	}
	return false
}

func machineRemains(k known, s lifecycle.Step) []string {
	if s.Action.Resume() == lifecycle.ResumeHarmless {
		return nil
	}
	if !k.has(func(r lifecycle.Action) bool { return r == s.Action }) && !k.recovers(s.Action) {
		return []string{"+ " + s.ID + ": " + s.Reason}
	}
	var why []string
	for _, v := range []lifecycle.Version{s.Version, s.From} {
		if !slices.Contains(k.versions, v) {
			why = append(why, fmt.Sprintf("    %s was not reviewed there", k0sName(v)))
		}
	}
	for _, c := range without(s.Changes, k.changes) {
		why = append(why, "    new: "+c)
	}
	as := func(r lifecycle.Step) bool {
		return r.Action == s.Action && r.Hold == s.Hold && r.TakeOver == s.TakeOver && slices.Equal(r.Command, s.Command)
	}
	if (s.Hold || s.TakeOver || len(s.Command) > 0) && !slices.ContainsFunc(k.steps, as) {
		why = append(why, "    it is done in another way than was reviewed")
	}
	for _, back := range s.OnFailure {
		why = append(why, machineRemains(k, back)...)
	}
	if len(why) == 0 {
		return nil
	}
	return append([]string{"~ " + s.ID + ": " + s.Reason}, why...)
}

// unitRemains: of a unit's objects some may be as declared by now; the others must change just as was reviewed. declared says that both
// plans are of the very same declaration: without a cluster to render for, a plan names the objects of a unit by that alone.
func unitRemains(reviewed lifecycle.Plan, s lifecycle.Step, declared bool) []string {
	i := slices.IndexFunc(reviewed.Steps, func(r lifecycle.Step) bool { return r.Target == s.Target && r.Action == s.Action })
	coming := s.Action == lifecycle.ActionApply && slices.Contains(reviewed.Coming, s.Target)
	if i < 0 && !coming {
		return []string{"+ " + s.ID + ": " + s.Reason}
	}
	was := lifecycle.Step{Digest: s.Digest, Chart: chartEnd(s.Chart)}
	if i >= 0 {
		was = reviewed.Steps[i]
	}
	var why []string
	if chartEnd(was.Chart) != chartEnd(s.Chart) || i < 0 && s.Chart != chartEnd(s.Chart) {
		why = append(why, fmt.Sprintf("    the chart goes %s, which was not reviewed", s.Chart))
	}
	blank := was.Digest == "" // there was no cluster to compare with: all that was declared was to come
	if !coming && (blank && !declared || was.Digest != "" && was.Digest != s.Digest) {
		why = append(why, "    what is declared is not what it was")
	}
	for _, is := range s.Objects {
		if (coming || blank && (is.Change == lifecycle.ChangeCreate || is.Change == lifecycle.ChangeUpdate)) && !is.Drift {
			continue
		}
		why = append(why, objectRemains(was, is)...)
	}
	if len(why) == 0 {
		return nil
	}
	return append([]string{"~ " + s.ID + ": " + s.Reason}, atMost(why, objectsTold)...)
}

// chartEnd is the version that a step brings a chart to.
func chartEnd(chart string) string {
	if _, to, found := strings.Cut(chart, " -> "); found {
		return to
	}
	return chart
}

func objectRemains(step lifecycle.Step, is lifecycle.ObjectChange) []string {
	i := slices.IndexFunc(step.Objects, func(o lifecycle.ObjectChange) bool { return o.Same(is.ObjectRef) })
	if i < 0 {
		return []string{fmt.Sprintf("    %s was to stay as it was, and would change now (%s)", is.ObjectRef, is.Change)}
	}
	was := step.Objects[i]
	halfReplaced := was.Change == lifecycle.ChangeReplace && is.Change == lifecycle.ChangeCreate
	if was.Change != is.Change && !halfReplaced {
		return []string{fmt.Sprintf("    %s: %s was planned, it would be %s now", is.ObjectRef, was.Change, is.Change)}
	}
	left := was
	left.Fields = slices.DeleteFunc(slices.Clone(was.Fields), func(f lifecycle.FieldChange) bool {
		return !slices.ContainsFunc(is.Fields, func(g lifecycle.FieldChange) bool { return g.Field == f.Field })
	})
	return fieldsSince(left, is)
}
