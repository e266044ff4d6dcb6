package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RehearsalFormat is the version of Rehearsal's JSON form. Readers refuse another major.
const RehearsalFormat = "1.0"

// RehearsalLive is the Source of a rehearsal of the site as it is now.
const RehearsalLive = "live"

// Rehearsal is how a plan went in a twin of the site: a lab that was made of the site's own state. Nothing of it happened at the site.
type Rehearsal struct {
	Format string `json:"format"`
	Site   string `json:"site"`
	// From is the lowest version that a machine of the site has, To the one that was rehearsed.
	From Version `json:"from,omitzero"`
	To   Version `json:"to"`
	// Plan is the Meaning of the site's own plan, by which a gate knows that this plan, and no other, was rehearsed; "" where the site's
	// plan could not be made.
	Plan string `json:"plan,omitempty"`
	// Source is what the twin was made of: RehearsalLive, or the name of a snapshot's file.
	Source string `json:"source"`
	// Taken is when the site was as the twin has it, Ended when the rehearsal was over.
	Taken time.Time `json:"taken"`
	Ended time.Time `json:"ended"`
	// Steps were planned in the twin, and Done of them were done, by all of its runs together.
	Steps int `json:"steps"`
	Done  int `json:"done"`
	// Result is how the last run in the twin ended. Runs is how many there were: more than one where a fault ended kiban itself.
	Result RunResult `json:"result"`
	Runs   int       `json:"runs"`
	// Same says that the twin's plan has the steps of the site's, in its order; Other says what differs, a line each.
	Same  bool     `json:"same"`
	Other []string `json:"other,omitempty"`
	// Order are the machines in the order in which they were disturbed.
	Order []string `json:"order,omitempty"`
	// Waits are where the run waited for something, in its order.
	Waits []RehearsedWait `json:"waits,omitempty"`
	// Blocks are what ended the run before its end, or would not let it begin.
	Blocks []RehearsedBlock `json:"blocks,omitempty"`
	// Services were asked all the while; Workloads are those that had fewer pods ready at some time than they want. Both are sorted by
	// namespace and name.
	Services  []RehearsedService  `json:"services,omitempty"`
	Workloads []RehearsedWorkload `json:"workloads,omitempty"`
	// Took is how long the run took in the twin. Expected is how long it takes at the site, as far as that is known.
	Took     time.Duration `json:"took"`
	Expected time.Duration `json:"expected"`
	// Assumed are the parts of Expected that no record of the site tells, a sentence each.
	Assumed []string `json:"assumed,omitempty"`
	// Differences are what the twin does not have as the site has it, and what is therefore not proven.
	Differences []TwinDifference `json:"differences,omitempty"`
	// Refused are objects of the site that the twin's API did not take.
	Refused []RefusedObject `json:"refused,omitempty"`
	// Unwell are pods that are ready at the site and did not become so in the twin: "shop/web-6d5f-x2x: Insufficient cpu".
	Unwell []string `json:"unwell,omitempty"`
	// Faults are those that were asked for.
	Faults []RehearsedFault `json:"faults,omitempty"`
}

// RehearsedWait is a gate, or a drain, that a step waited for.
type RehearsedWait struct {
	Step string `json:"step"`
	// Gate is what was waited for, "every disruption budget is whole"; Reason is what was seen last: "shop/web: 2 of 3 healthy".
	Gate   string `json:"gate"`
	Reason string `json:"reason,omitempty"`
	// For is what it was about in a word or two, "shop/web"; Owner is whom that concerns: "tenant shop". Either may be "".
	For   string        `json:"for,omitempty"`
	Owner string        `json:"owner,omitempty"`
	Took  time.Duration `json:"took"`
}

// RehearsedBlock is a finding that stopped the run, and where.
type RehearsedBlock struct {
	Diagnostic
	// Step is the step that it stopped; "" where the plan as a whole could not begin.
	Step string `json:"step,omitempty"`
	// Owner is whom it concerns; "" for whoever runs the site.
	Owner string `json:"owner,omitempty"`
}

// What says what is in the way, and of which machine, budget or step that is: "worker-2: the host cannot be reached".
func (b RehearsedBlock) What(site string) string {
	of := b.Step
	if of == "" && b.Subject != site {
		of = b.Subject
	}
	if of == "" || strings.Contains(b.Summary, of) {
		return b.Summary
	}
	return of + ": " + b.Summary
}

// RehearsedService is a Service whose endpoints were sent requests while the plan ran.
type RehearsedService struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Requests  int    `json:"requests"`
	Lost      int    `json:"lost,omitempty"`
	// Why are the first reasons that differ, a line each: "worker-3/drain: no endpoint is ready".
	Why []string `json:"why,omitempty"`
}

// RehearsedWorkload is a workload at its moment of least redundancy.
type RehearsedWorkload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Desired   int    `json:"desired"`
	Fewest    int    `json:"fewest"`
	// Step was under way then; "" for none.
	Step string `json:"step,omitempty"`
}

// TwinDifference is something that a twin does not have as its site has it.
type TwinDifference struct {
	// What it is, in a phrase: "3 CronJobs are suspended". Consequence is what is not proven because of it.
	What        string `json:"what"`
	Consequence string `json:"consequence"`
}

// RefusedObject is an object that is stored at the site and that the twin's API did not take.
type RefusedObject struct {
	// Object is "PodDisruptionBudget shop/web"; Reason is the API's.
	Object string `json:"object"`
	Reason string `json:"reason"`
}

// RehearsedFault is something that was made to go wrong.
type RehearsedFault struct {
	// Spec is as it was asked for: "worker-3=ssh-hang@cordon". At is the step at which it was injected; "" says that it never was.
	Spec string `json:"spec"`
	At   string `json:"at,omitempty"`
}

// Requests are how many were sent to all Services, and how many of them were lost.
func (r Rehearsal) Requests() (sent, lost int) {
	for _, s := range r.Services {
		sent, lost = sent+s.Requests, lost+s.Lost
	}
	return sent, lost
}

// Through reports whether the plan went through and nobody noticed: every step was done, and no request was lost.
func (r Rehearsal) Through() bool {
	_, lost := r.Requests()
	return r.Result == RunDone && len(r.Blocks) == 0 && lost == 0
}

// Waited is how long was waited in all, and for what most of that: "for shop/web", or "until addons are healthy".
func (r Rehearsal) Waited() (total time.Duration, most string) {
	by := map[string]time.Duration{}
	for _, w := range r.Waits {
		total += w.Took
		what := "until " + w.Gate
		if w.For != "" {
			what = "for " + w.For
		}
		by[what] += w.Took
	}
	for what, took := range by {
		if most == "" || took > by[most] || took == by[most] && what < most {
			most = what
		}
	}
	return total, most
}

// Sentence is the rehearsal in one line: "rehearsed: 41 of 41 steps, 0 of 52,310 requests lost, about 1 h 12 min, 3 min of it waiting for
// shop/web".
func (r Rehearsal) Sentence() string {
	switch {
	case r.Steps == 0 && r.Result == RunDone:
		return "nothing to rehearse: the plan has no step"
	case r.Steps == 0 && len(r.Services) == 0:
		return "nothing was rehearsed: " + r.ended()
	}
	said := []string{fmt.Sprintf("%d of %s", r.Done, Count(r.Steps, "step"))}
	if r.Result != RunDone {
		said[0] += ", then " + r.ended()
	}
	sent, lost := r.Requests()
	if sent == 0 {
		said = append(said, "no Service answered to be asked")
	} else {
		said = append(said, fmt.Sprintf("%s of %s requests lost", thousands(lost), thousands(sent)))
	}
	of := ""
	if r.Result == RunDone && r.Expected > 0 {
		of = " of it"
		took := Span(r.Expected)
		if r.Expected.Round(time.Minute) >= time.Minute {
			took = "about " + took
		}
		said = append(said, took)
	}
	if waited, most := r.Waited(); waited >= time.Minute {
		said = append(said, fmt.Sprintf("%s%s waiting %s", Span(waited), of, most))
	}
	return "rehearsed: " + strings.Join(said, ", ")
}

// ended says how a run ended that did not come to its end.
func (r Rehearsal) ended() string {
	if len(r.Blocks) == 0 {
		return string(r.Result)
	}
	what := r.Blocks[0].What(r.Site)
	if r.Result == RunBlocked {
		return "blocked by " + what
	}
	return string(r.Result) + " with " + what
}

// thousands writes a count with a comma after each three digits: "52,310".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Disturbed are the machines of a run's disrupting steps, in the order in which they were begun, each once. A node's turn begins with its
// cordon.
func Disturbed(events []Event) (order []string) {
	disrupts := map[string]bool{}
	for _, e := range events {
		if e.Disrupts {
			disrupts[e.Step] = true
		}
		if e.Kind == EventStarted && e.Target != "" && (disrupts[e.Step] || e.Action == ActionCordon) && !slices.Contains(order, e.Target) {
			order = append(order, e.Target)
		}
	}
	return order
}
