// Package readiness says what a version of k0s would break at a site: pure rules over what is declared, what was seen, what was asked, and
// data about the versions. Each finding names what was seen and where, whom it concerns, from which version it breaks, and what to do. What
// could not be looked at is said as such: a site is never called ready for what nobody saw.
package readiness

import (
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
	return []rule{reach, certificates, apis, pods, setForVersion, charts, etcd, admission, machines, knownRisks}
}

// Check says what the target version would break.
func Check(in Input) lifecycle.Readiness {
	r := &report{}
	r.Site, r.From, r.To = in.Site.Name, in.State.Lowest(), in.Target
	for _, look := range rules() {
		look(in, r)
	}
	r.accept(in.Site.Policy.Accept)
	r.Sort()
	return r.Readiness
}

// report is the answer in the making.
type report struct{ lifecycle.Readiness }

// find adds a finding.
func (r *report) find(f lifecycle.ReadinessFinding) { r.Findings = append(r.Findings, f) }

// unseen says that something could not be looked at.
func (r *report) unseen(what, why, remedy string) {
	r.Unseen = append(r.Unseen, lifecycle.Unseen{What: what, Why: why, Remedy: remedy})
}

// looked says what was looked at.
func (r *report) looked(phrase string) { r.Looked = append(r.Looked, phrase) }
