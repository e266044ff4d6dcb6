package twin

import (
	"cmp"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// probed is what `kiban-lab probe --all` reports.
type probed struct {
	Services []struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Requests  int    `json:"requests"`
		Failures  int    `json:"failures"`
		Failed    []struct {
			At    time.Time `json:"at"`
			Error string    `json:"error"`
		} `json:"failed"`
	} `json:"services"`
	Workloads []struct {
		Kind      string    `json:"kind"`
		Namespace string    `json:"namespace"`
		Name      string    `json:"name"`
		Desired   int       `json:"desired"`
		Fewest    int       `json:"fewest"`
		FewestAt  time.Time `json:"fewestAt"`
	} `json:"workloads"`
}

// readProbe reads the report of a prober; one that is not there tells nothing.
func readProbe(file string) (probed, error) {
	var p probed
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	return p, err
}

// story is what happened in the runs of a rehearsal, by their events.
type story struct {
	events []lifecycle.Event
	owners map[string]string
}

// tell says what became of runs whose events these are, in order, and what the prober saw meanwhile.
func tell(runs []Ended, p probed, owners map[string]string) lifecycle.Rehearsal {
	s := story{owners: owners}
	r := lifecycle.Rehearsal{Format: lifecycle.RehearsalFormat, Runs: len(runs)}
	for _, run := range runs {
		s.events = append(s.events, run.Events...)
	}
	var planned, done []string
	for _, e := range s.events {
		switch {
		case e.Kind == lifecycle.EventPlanned && !slices.Contains(planned, e.Step):
			planned = append(planned, e.Step)
		case e.Kind == lifecycle.EventFinished && e.Step != "" && !slices.Contains(done, e.Step):
			done = append(done, e.Step)
		}
	}
	r.Steps, r.Done = len(planned), len(done)
	r.Result = resultOf(runs[len(runs)-1])
	r.Order = lifecycle.Disturbed(s.events)
	r.Waits = s.waits()
	if r.Result != lifecycle.RunDone {
		r.Blocks = s.blocks(runs[len(runs)-1])
	}
	r.Services, r.Workloads = s.services(p), s.workloads(p)
	r.Took = took(s.events)
	return r
}

// resultOf is how a run ended, by its last word, or by what kept it from beginning.
func resultOf(run Ended) lifecycle.RunResult {
	for _, e := range slices.Backward(run.Events) {
		if e.Kind == lifecycle.EventSummary && e.Result != "" {
			return e.Result
		}
	}
	switch run.Code {
	case 0:
		return lifecycle.RunDone
	case 3:
		return lifecycle.RunBlocked
	case -1:
		return lifecycle.RunUnended
	}
	return lifecycle.RunFailed
}

// took is the time from the first step's begin to the last one's end.
func took(events []lifecycle.Event) time.Duration {
	var first, last time.Time
	for _, e := range events {
		if e.Step == "" || e.Kind == lifecycle.EventPlanned || e.Time.IsZero() {
			continue
		}
		if first.IsZero() {
			first = e.Time
		}
		if e.Kind != lifecycle.EventSkipped {
			last = e.Time
		}
	}
	return last.Sub(first)
}

// span is a wait that goes on.
type span struct {
	wait        lifecycle.RehearsedWait
	since, last time.Time
	begun       bool // the step had begun to act
}

// waits are the gates before steps that were waited for, and the pods that were, in steps and behind them.
func (s story) waits() []lifecycle.RehearsedWait {
	var out []lifecycle.RehearsedWait
	open := map[string]*span{} // by step
	acts := map[string]bool{}
	end := func(step string, at time.Time) {
		w := open[step]
		if w == nil {
			return
		}
		delete(open, step)
		if w.last.After(w.since) {
			at = w.last
		}
		w.wait.Took = at.Sub(w.since)
		if w.wait.Took >= time.Second && (!w.begun || w.wait.For != "") {
			out = append(out, w.wait)
		}
	}
	for _, e := range s.events {
		held := e.Kind == lifecycle.EventProgress && strings.Contains(e.Message, " is held by budget ")
		switch {
		case e.Kind == lifecycle.EventWaiting:
			if w := open[e.Step]; w != nil && w.wait.Gate == e.Message {
				w.wait.Reason = e.Detail
				continue
			}
			end(e.Step, e.Time)
			open[e.Step] = &span{wait: s.wait(e.Step, e.Message, e.Detail), since: e.Time.Add(-e.Elapsed), begun: acts[e.Step]}
		case held && open[e.Step] == nil:
			open[e.Step] = &span{wait: s.wait(e.Step, "disruption budgets let its pods go", e.Message), since: e.Time, begun: true}
		case held:
			open[e.Step].wait.Reason = e.Message
		case e.Kind == lifecycle.EventProgress && strings.HasPrefix(e.Message, "evicted ") && open[e.Step] != nil:
			open[e.Step].last = e.Time // the last one that was held is gone with it
		case e.Kind == lifecycle.EventStarted:
			end(e.Step, e.Time)
			acts[e.Step] = true
		case e.Kind == lifecycle.EventFinished || e.Kind == lifecycle.EventFailed:
			end(e.Step, e.Time)
		}
	}
	return out
}

func (s story) wait(step, gate, reason string) lifecycle.RehearsedWait {
	w := lifecycle.RehearsedWait{Step: step, Gate: gate, Reason: reason, For: about(reason)}
	namespace, _, _ := strings.Cut(w.For, "/")
	w.Owner = s.owners[namespace]
	return w
}

// about is the budget, or the pod, that a reason is about: "shop/web"; "" where it names none.
func about(reason string) string {
	for _, re := range []*regexp.Regexp{
		regexp.MustCompile(`\bbudget ([a-z0-9-]+/[a-z0-9.-]+)`),
		regexp.MustCompile(`(?:^|[ ,;(])([a-z0-9-]+/[a-z0-9.-]+) (?:has|was|is)\b`),
	} {
		if m := re.FindStringSubmatch(reason); m != nil {
			return m[1]
		}
	}
	return ""
}

// blocks are the findings that ended the last run: each fault once, as the run told it in the end, when it had seen what became of the
// machine. What a step alone told counts where no end was told, for kiban was killed.
func (s story) blocks(run Ended) []lifecycle.RehearsedBlock {
	var failed []lifecycle.Event
	for _, e := range run.Events {
		if e.Kind == lifecycle.EventFailed && e.Diagnostic != nil {
			failed = append(failed, e)
		}
	}
	found := run.Findings().Stopping()
	if len(found) == 0 {
		for _, e := range failed {
			found = append(found, *e.Diagnostic)
		}
	}
	var out []lifecycle.RehearsedBlock
	for _, d := range found {
		if slices.ContainsFunc(out, func(b lifecycle.RehearsedBlock) bool { return b.Summary == d.Summary && b.Detail == d.Detail }) {
			continue
		}
		namespace, _, _ := strings.Cut(cmp.Or(about(d.Detail), about(d.Summary), about(d.Subject+" is")), "/")
		out = append(out, lifecycle.RehearsedBlock{Diagnostic: d, Step: stepOf(d, failed), Owner: s.owners[namespace]})
	}
	return out
}

// stepOf is the step that a finding stopped: the one that told the same, else the first that failed on its machine; "" for none.
func stepOf(d lifecycle.Diagnostic, failed []lifecycle.Event) string {
	for _, same := range []func(e lifecycle.Event) bool{
		func(e lifecycle.Event) bool {
			return e.Diagnostic.Summary == d.Summary && e.Diagnostic.Detail == d.Detail
		},
		func(e lifecycle.Event) bool {
			return e.Target != "" && (e.Target == d.Subject || slices.Contains(d.Subjects, e.Target))
		},
	} {
		if i := slices.IndexFunc(failed, same); i >= 0 {
			return failed[i].Step
		}
	}
	return ""
}

// during is the step that was under way at a time: the one begun last that had not ended, one that disturbs before others.
func (s story) during(at time.Time) string {
	began, quiet := "", ""
	open := map[string]bool{}
	disrupts := map[string]bool{}
	for _, e := range s.events {
		disrupts[e.Step] = disrupts[e.Step] || e.Disrupts
		if e.Time.After(at) || e.Step == "" {
			continue
		}
		switch e.Kind {
		case lifecycle.EventStarted:
			open[e.Step] = true
			if quiet = e.Step; disrupts[e.Step] {
				began = e.Step
			}
		case lifecycle.EventFinished, lifecycle.EventFailed:
			delete(open, e.Step)
		}
	}
	for _, step := range []string{began, quiet} {
		if open[step] {
			return step
		}
	}
	if began != "" {
		return "after " + began
	}
	return ""
}

func (s story) services(p probed) []lifecycle.RehearsedService {
	const reasons = 3
	var out []lifecycle.RehearsedService
	for _, service := range p.Services {
		r := lifecycle.RehearsedService{Namespace: service.Namespace, Name: service.Name, Requests: service.Requests, Lost: service.Failures}
		for _, f := range service.Failed {
			why := f.Error
			if step := s.during(f.At); step != "" {
				why = step + ": " + why
			}
			if !slices.Contains(r.Why, why) && len(r.Why) < reasons {
				r.Why = append(r.Why, why)
			}
		}
		out = append(out, r)
	}
	return out
}

func (s story) workloads(p probed) []lifecycle.RehearsedWorkload {
	var out []lifecycle.RehearsedWorkload
	for _, w := range p.Workloads {
		if w.Fewest >= w.Desired || w.Kind == "ReplicaSet" {
			continue
		}
		out = append(out, lifecycle.RehearsedWorkload{Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, Desired: w.Desired, Fewest: w.Fewest,
			Step: s.during(w.FewestAt)})
	}
	return out
}

// compare says how the steps that were planned in the twin differ from the site's own. Of a run that did not begin they are not known.
func compare(site lifecycle.Plan, runs []Ended) (same bool, other []string) {
	var twins, sites []string
	for _, e := range runs[0].Events {
		if e.Kind == lifecycle.EventPlanned {
			twins = append(twins, e.Step)
		}
	}
	for _, s := range site.Steps {
		sites = append(sites, s.ID)
	}
	if slices.Equal(twins, sites) || len(twins) == 0 {
		return len(twins) == len(sites), nil
	}
	for _, id := range sites {
		if !slices.Contains(twins, id) {
			other = append(other, id+" is planned at the site, and not in the twin")
		}
	}
	for _, id := range twins {
		if !slices.Contains(sites, id) {
			other = append(other, id+" is planned in the twin, and not at the site")
		}
	}
	if len(other) == 0 {
		other = []string{"the steps are the same, in another order"}
	}
	return false, other
}
