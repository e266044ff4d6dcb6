// Package readiness says what a version of k0s would break at a site: pure rules over what is declared, what was seen, what was asked, and
// data about the versions. Each finding names what was seen and where, whom it concerns, from which version it breaks, and what to do. What
// could not be looked at is said as such: a site is never called ready for what nobody saw.
package readiness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Input is all that a rule may look at.
type Input struct {
	Site  lifecycle.Site
	State lifecycle.State
	// Target is the version that is judged.
	Target lifecycle.Version
	// Evidence is what the site was asked for this.
	Evidence lifecycle.Evidence
	Now      time.Time
}

// rule looks at one subject and reports on it.
type rule func(in Input, r *report)

// rules are all of them, in the order in which what they looked at is told.
func rules() []rule {
	return []rule{reach, certificates, apis, pods, setForVersion, charts, etcd, admission, knownRisks, machines}
}

// Check says what the target version would break.
func Check(in Input) lifecycle.Readiness {
	r := &report{}
	r.Site, r.From, r.To = in.Site.Name, in.State.Lowest(), in.Target
	if in.Site.Provider == lifecycle.ProviderExternal {
		r.Provider = in.Site.Provider
	}
	for _, look := range rules() {
		look(in, r)
	}
	r.accept(in.Site.Policy.Accept)
	r.Sort()
	return r.Readiness
}

// report is the answer in the making.
type report struct {
	lifecycle.Readiness
	// api and machines are which of Unseen tell that the API, or machines, did not answer, counted from 1; 0: they did.
	api, machines int
	// away are the machines that did not.
	away map[string]bool
}

// find adds a finding.
func (r *report) find(f lifecycle.ReadinessFinding) { r.Findings = append(r.Findings, f) }

// unseen says that something could not be looked at. What is hidden by one and the same cause is told together.
func (r *report) unseen(what, why, remedy string) {
	for i, u := range r.Unseen {
		if u.Why == why && u.Remedy == remedy {
			r.hidden(i+1, what)
			return
		}
	}
	r.Unseen = append(r.Unseen, lifecycle.Unseen{What: what, Why: why, Remedy: remedy})
}

// unseenOf says that something with a name of its own could not be looked at: it can be accepted by that.
func (r *report) unseenOf(subject, what, why, remedy string) {
	r.Unseen = append(r.Unseen, lifecycle.Unseen{Subject: subject, What: what, Why: why,
		Remedy: fmt.Sprintf("%s (or accept it in spec.upgrade.accept: finding %s, subject %q)", remedy, lifecycle.RuleNotSeen, subject)})
}

// hidden adds to what one of Unseen, counted from 1, hides as well.
func (r *report) hidden(at int, what string) {
	if u := &r.Unseen[at-1]; u.What != what && !slices.Contains(u.Also, what) {
		u.Also = append(u.Also, what)
	}
}

// unasked says that the API could not be asked something. Where it did not answer at all, that is the cause, which is told once.
func (r *report) unasked(what, why, remedy string) {
	if r.api > 0 {
		r.hidden(r.api, what)
		return
	}
	r.unseen(what, why, remedy)
}

// reasons are why hosts did not tell, those with the same reason together; of is who each answer is from, why is the answer. Those that
// did not answer at all are left out: that is the cause, and what was to be learnt stands with it.
func (r *report) reasons(what string, hosts []string, why map[string]string) string {
	by := map[string][]string{}
	for _, h := range hosts {
		if r.away[h] && r.machines > 0 {
			r.hidden(r.machines, what)
			continue
		}
		by[why[h]] = append(by[why[h]], h)
	}
	return whose(by)
}

// whose is reasons with whose they are.
func whose(by map[string][]string) string {
	var out []string
	for _, reason := range sortedKeys(by) {
		out = append(out, lifecycle.Few(by[reason])+": "+reason)
	}
	return strings.Join(out, "; ")
}

// looked says what was looked at.
func (r *report) looked(phrase string) { r.Looked = append(r.Looked, phrase) }
