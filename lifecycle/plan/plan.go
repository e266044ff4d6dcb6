package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Make compares what is declared with what was observed and says what is to be done, in order. It is pure: the same site, state and options
// give the same plan, and nothing is asked or read.
//
// What stands in the way is among the plan's Diagnostics. The steps are listed all the same, so that a reviewer sees them, but for a
// version that cannot be reached: there is no way to list.
func Make(site lifecycle.Site, state lifecycle.State, options lifecycle.PlanOptions) lifecycle.Plan {
	p := survey(site, state)
	p.options = options
	p.strand()
	if !p.isRightCluster() || !p.settlePhase() || !p.findRoute() {
		return p.finish()
	}
	procedures := []func(*planner){
		repair,               // start what an interrupted run, or anyone, left stopped
		bootstrap,            // the first controller, where there is no cluster yet
		removeStopped,        // a controller marked reset that does not run: others would wait for it
		joinControllers,      // one by one, at the version the control plane has
		twoSteps,             // where the site upgrades in two steps: the pin, the commit, the way back
		configureControllers, // configuration and arguments, one by one
		label,                // labels and taints of nodes, which k0s says only when they register
		joinWorkers,          // all at once, at the version the control plane has
		returnNodes,          // uncordon what an interrupted run left cordoned and needs nothing else
		remove,               // hosts marked reset: before an upgrade, so that it need not carry them along
		applyUnits,           // addons, tenants, objects
		pruneUnits,           // those that have left the repository
		upgrade,              // hop by hop: backup, controllers one by one, workers as many at once as the policy allows
		joinControllersLast,  // those that had to wait for one that only an upgrade starts
		configureCluster,     // what k0s keeps of its configuration in the cluster
		rearrangeWorkers,     // changed arguments, in turns as an upgrade
		arrangeFiles,         // changed files of workers: in turns where k0s reads them when it starts
		removeLast,           // hosts marked reset that had to wait for nodes that an interrupted run left out of service
		tidy,                 // tokens and binaries that interrupted runs left
		rerender,             // what an upgrade changes of addons is for the next plan
	}
	if p.dark() {
		procedures = []func(*planner){revive} // nothing else can be known before the API answers again
	}
	for _, procedure := range procedures {
		if procedure(p); p.unfinished != "" {
			break
		}
	}
	ready(p) // what those steps need on the machines: prepared hosts, verified binaries that know them
	p.inspect()
	return p.finish()
}

// planner is a plan in the making: what is declared beside what was seen, and the stages so far.
type planner struct {
	site    lifecycle.Site
	state   lifecycle.State
	options lifecycle.PlanOptions
	members []*member
	named   map[string]*member
	// undeclared are the nodes that no host is declared for.
	undeclared []lifecycle.NodeState
	// hops are the versions on the way, the declared one last; empty when every member has it.
	hops       []lifecycle.Version
	work       []*stage
	unfinished string
	onlyWaits  bool     // the plan only waits for controllers that have started not long ago
	left       string   // the controller that leaves by this plan
	coming     []string // units that the next plan changes
	away       []string // hosts that were not reached and that the plan does without
	found      lifecycle.Diagnostics
	// phase is where the control plane stands between two versions, and pin what it is pinned to.
	phase phase
	pin   lifecycle.Pinned
	// rerolls: it went back, and is rolled once more, so the next soak begins anew.
	rerolls bool
	// waiting are the workers that follow when the control plane is committed.
	waiting []*member
	// askedReconnected: a step of this plan waits for the clients of the only API already.
	askedReconnected bool
	// classes say what can change, and how.
	classes lifecycle.DeclaredClasses
}

// survey lays what is declared beside what was seen.
func survey(site lifecycle.Site, state lifecycle.State) *planner {
	p := &planner{site: site, state: state, classes: lifecycle.ChangeTable(), named: map[string]*member{}}
	for _, h := range site.Cluster.Hosts {
		m := newMember(h, state, site.Cluster.Version)
		p.members, p.named[h.Name] = append(p.members, m), m
	}
	for _, n := range state.Nodes {
		if p.named[n.Name] == nil {
			p.undeclared = append(p.undeclared, n)
		}
	}
	return p
}

// external reports whether someone else runs the machines: then only what is in the cluster is kiban's to change.
func (p *planner) external() bool { return p.site.Provider == lifecycle.ProviderExternal }

// target is the declared version.
func (p *planner) target() lifecycle.Version { return p.site.Cluster.Version }

// dark reports whether the API should answer but does not. Then nodes, cordons and budgets are unknown.
func (p *planner) dark() bool {
	if p.state.API.NotYet {
		return slices.ContainsFunc(p.controllers(), (*member).wasController)
	}
	return p.state.API.Unknown != ""
}

// controllers are the members that run the control plane and are to stay.
func (p *planner) controllers() []*member {
	return p.which(func(m *member) bool { return m.Role.IsController() && !m.Reset })
}

// workers are the plain workers that are to stay.
func (p *planner) workers() []*member {
	return p.which(func(m *member) bool { return !m.Role.IsController() && !m.Reset })
}

// leaving are the members that are to be removed.
func (p *planner) leaving() []*member {
	return p.which(func(m *member) bool { return m.Reset })
}

func (p *planner) which(keep func(*member) bool) []*member {
	return slices.DeleteFunc(slices.Clone(p.members), func(m *member) bool { return !keep(m) })
}

// controlPlane is the lowest version that a controller has at this point of the plan: what an API server may answer with, so the
// newest that a kubelet may be. Zero: there is no control plane yet.
func (p *planner) controlPlane() lifecycle.Version {
	var low lifecycle.Version
	for _, m := range p.members {
		if m.Role.IsController() && !m.level.IsZero() && (low.IsZero() || m.level.Less(low)) {
			low = m.level
		}
	}
	if former := p.pin.Former; p.heldBack() && !former.IsZero() && former.Less(low) {
		return former // what it acts as
	}
	return low
}

// finish writes the plan down.
func (p *planner) finish() lifecycle.Plan {
	out := lifecycle.Plan{
		Format: lifecycle.PlanFormat, Site: p.site.Name, ClusterUID: p.state.API.ClusterUID, Revision: p.site.Revision,
		SiteDigest: p.site.Digest, FactsDigest: p.state.FactsDigest(), Target: p.target(), Hops: p.hops, Unfinished: p.unfinished,
		Coming: p.coming, Anew: p.anew(),
	}
	if p.phase == phaseSoak && len(p.waiting) > 0 {
		out.Waits = fmt.Sprintf("%s %s until the control plane is committed", lifecycle.Count(len(p.waiting), "worker"), verbFor(len(p.waiting)))
	}
	if p.dark() {
		out.Hops = nil // what it starts, it starts as it is
	}
	out.Stages, out.Steps = write(p.work)
	p.found.Sort()
	out.Diagnostics = p.found.Together(p.state.Machine(p.site))
	return out
}

func verbFor(n int) string {
	if n == 1 {
		return "waits"
	}
	return "wait"
}

// find adds a finding.
func (p *planner) find(d lifecycle.Diagnostic) { p.found = append(p.found, d) }
