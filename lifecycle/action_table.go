package lifecycle

import "time"

// actionRow is all that kiban asks about an action. A new action is one row here; the functions that carry it out are looked up where
// its doer is (package k0s for machines, addons for units, apply for nodes).
//
// The first part must be said of every action. Of the second part a row names what holds.
type actionRow struct {
	action Action
	doer   Doer
	verb   Verb
	tone   Tone
	bound  Bound
	lasts  Lasts
	resume Resume

	// within is the bound itself, of BoundFixed.
	within time.Duration
	// disrupts: pods, or an API server, go away for a while whenever it is done. Others disrupt as their step says (Step.Disrupts).
	disrupts bool
	// installs: the step's version is in place on the machine when it is done. removes: no k0s is left there.
	installs, removes bool
	// service: it installs the k0s service. enrols: the machine becomes a member by it, so it is made ready for k0s before.
	service, enrols bool
	// starts: it starts k0s, so that the log of k0s says why a machine does not come up.
	starts bool
	// touches: a node that kiban closed for it is not as it was, and returns to service only when its gates say that it is well.
	touches bool
	// controllers: only a controller's step has it, and the control plane is not the same after it.
	controllers bool
	// alike: what it fails by may lie in what machines or units have in common, so that it may befall others of their kind at other sites.
	alike bool
	// etcd is by how many members etcd grows.
	etcd int
}

// actionRows is the table of actions.
func actionRows() []actionRow {
	return []actionRow{
		{action: ActionPrepare, doer: DoerMachines, verb: VerbOther, tone: TonePrepare, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeInstall, alike: true, within: 15 * time.Minute},
		{action: ActionUpload, doer: DoerMachines, verb: VerbOther, tone: TonePrepare, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeInstall, within: 15 * time.Minute},
		{action: ActionPreflight, doer: DoerMachines, verb: VerbOther, tone: TonePrepare, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeHarmless, alike: true, within: 3 * time.Minute},
		{action: ActionConfigure, doer: DoerMachines, verb: VerbReconfigure, tone: ToneConfigure, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, alike: true, starts: true, touches: true, controllers: true},
		{action: ActionInitialize, doer: DoerMachines, verb: VerbJoin, tone: ToneJoin, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, alike: true, // to begin a cluster is never the end of a run that was cut off: data may be gone
			installs: true, service: true, enrols: true, starts: true, touches: true, controllers: true, etcd: +1},
		{action: ActionJoinController, doer: DoerMachines, verb: VerbJoin, tone: ToneJoin, bound: BoundNode, lasts: LastsTime,
			resume: ResumeInstall, alike: true, // a service that was being installed when the run was cut off may be gone
			installs: true, service: true, enrols: true, starts: true, touches: true, controllers: true, etcd: +1},
		{action: ActionJoinWorker, doer: DoerMachines, verb: VerbJoin, tone: ToneJoin, bound: BoundNode, lasts: LastsTime,
			resume: ResumeInstall, alike: true, installs: true, service: true, enrols: true, starts: true, touches: true},
		{action: ActionBackup, doer: DoerMachines, verb: VerbOther, tone: ToneBackup, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeHarmless, within: 15 * time.Minute},
		{action: ActionRestore, doer: DoerMachines, verb: VerbRestore, tone: ToneBackup, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, installs: true, service: true, enrols: true, starts: true, touches: true, controllers: true, etcd: +1},
		{action: ActionRestart, doer: DoerMachines, verb: VerbRestart, tone: ToneConfigure, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, starts: true, touches: true},
		{action: ActionCordon, doer: DoerNodes, verb: VerbTakeOut, tone: ToneCordon, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeTurn, within: time.Minute},
		{action: ActionDrain, doer: DoerNodes, verb: VerbTakeOut, tone: ToneDrain, bound: BoundDrain, lasts: LastsTime,
			resume: ResumeTurn, disrupts: true},
		{action: ActionUncordon, doer: DoerNodes, verb: VerbReturn, tone: ToneUncordon, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeEnds, within: time.Minute},
		{action: ActionClusterConfig, doer: DoerNodes, verb: VerbReconfigure, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, alike: true, within: time.Minute},
		{action: ActionLabel, doer: DoerNodes, verb: VerbReconfigure, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: time.Minute},
		{action: ActionUpgrade, doer: DoerMachines, verb: VerbUpgrade, tone: ToneUpgrade, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, alike: true, disrupts: true, installs: true, service: true, starts: true, touches: true},
		{action: ActionRestoreFormer, doer: DoerMachines, verb: VerbTakeBack, tone: ToneOther, bound: BoundNode, lasts: LastsTime,
			resume: ResumeEnds, disrupts: true, installs: true, service: true, starts: true, touches: true},
		{action: ActionForgetFormer, doer: DoerMachines, verb: VerbOther, tone: ToneOther, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeEnds, within: 2 * time.Minute},
		{action: ActionRestoreSettings, doer: DoerMachines, verb: VerbTakeBack, tone: ToneOther, bound: BoundNode, lasts: LastsTime,
			resume: ResumeEnds, disrupts: true, service: true, starts: true, touches: true},
		{action: ActionForgetSettings, doer: DoerMachines, verb: VerbOther, tone: ToneOther, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeEnds, within: 2 * time.Minute},
		{action: ActionPin, doer: DoerNodes, verb: VerbOther, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: 2 * time.Minute},
		{action: ActionSoak, doer: DoerNodes, verb: VerbOther, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: time.Minute},
		{action: ActionCommit, doer: DoerNodes, verb: VerbOther, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: time.Minute},
		{action: ActionUnpin, doer: DoerNodes, verb: VerbOther, tone: ToneConfigure, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: time.Minute},
		{action: ActionReinstall, doer: DoerMachines, verb: VerbReconfigure, tone: ToneConfigure, bound: BoundNode, lasts: LastsTime,
			resume: ResumeInstall, alike: true, disrupts: true, service: true, starts: true, touches: true},
		{action: ActionStart, doer: DoerMachines, verb: VerbStart, tone: ToneConfigure, bound: BoundNode, lasts: LastsTime,
			resume: ResumeEnds, starts: true, touches: true},
		{action: ActionLeaveEtcd, doer: DoerMachines, verb: VerbRemove, tone: ToneRemove, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeReviewed, within: 2 * time.Minute, disrupts: true, touches: true, controllers: true, etcd: -1},
		{action: ActionDeleteNode, doer: DoerNodes, verb: VerbRemove, tone: ToneRemove, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: time.Minute, touches: true},
		{action: ActionReset, doer: DoerMachines, verb: VerbRemove, tone: ToneRemove, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeReviewed, within: 10 * time.Minute, disrupts: true, removes: true, touches: true},
		{action: ActionTidy, doer: DoerMachines, verb: VerbOther, tone: TonePrepare, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeEnds, within: 2 * time.Minute},
		{action: ActionReboot, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeReviewed, within: 2 * time.Minute, // to be told; the gates behind it wait for the machine
			disrupts: true, touches: true},
		{action: ActionRun, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundGiven, lasts: LastsTime,
			resume: ResumeReviewed, disrupts: true, touches: true},
		{action: ActionAwait, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundFixed, lasts: LastsOperator,
			resume: ResumeReviewed, within: 24 * time.Hour, disrupts: true, touches: true},
		{action: ActionFiles, doer: DoerMachines, verb: VerbReconfigure, tone: ToneConfigure, bound: BoundNode, lasts: LastsTime,
			resume: ResumeReviewed, alike: true, starts: true, touches: true},
		{action: ActionCompactEtcd, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeReviewed, within: 10 * time.Minute, controllers: true},
		{action: ActionDefragment, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundFixed, lasts: LastsTime,
			resume: ResumeReviewed, within: 15 * time.Minute, disrupts: true, controllers: true},
		{action: ActionDisarmEtcd, doer: DoerMachines, verb: VerbMaintain, tone: ToneMaintain, bound: BoundFixed, lasts: LastsMoment,
			resume: ResumeReviewed, within: 2 * time.Minute, controllers: true},
		{action: ActionApply, doer: DoerUnits, verb: VerbOther, tone: ToneUnit, bound: BoundGiven, lasts: LastsTime, resume: ResumeReviewed,
			alike: true},
		{action: ActionPrune, doer: DoerUnits, verb: VerbOther, tone: ToneRemove, bound: BoundGiven, lasts: LastsTime, resume: ResumeReviewed},
	}
}

// row is the action's; of one that this version does not know, such as one in a journal of a newer version, all is unsaid.
func (a Action) row() actionRow {
	for _, r := range actionRows() {
		if r.action == a {
			return r
		}
	}
	return actionRow{action: a, verb: VerbOther, tone: ToneOther}
}

// Actions are all of them.
func Actions() []Action {
	var out []Action
	for _, r := range actionRows() {
		out = append(out, r.action)
	}
	return out
}

// Doer is who carries an action out.
type Doer string

const (
	DoerMachines Doer = "machines" // over SSH, on the target
	DoerNodes    Doer = "nodes"    // in the Kubernetes API, on the target's Node
	DoerUnits    Doer = "units"    // in the Kubernetes API, on an addon's, a tenant's or other objects
)

// Verb is what becomes of a machine on the whole, in the order in which people ask: of a machine that several actions are done to, the
// first verb counts.
type Verb int

const (
	VerbRemove Verb = iota + 1
	VerbRestore
	VerbJoin
	VerbUpgrade
	VerbTakeBack
	VerbReconfigure
	VerbStart
	VerbRestart
	VerbMaintain
	VerbReturn
	VerbTakeOut
	VerbOther
)

// String is the infinitive that ends "4 workers to ...".
func (v Verb) String() string {
	return [...]string{"", "remove", "restore", "join", "upgrade", "take back", "reconfigure", "start", "restart", "maintain",
		"return to service", "take out of service", "prepare"}[v]
}

// Tone is what actions of one colour have in common, in words.
type Tone string

const (
	TonePrepare   Tone = "prepare"
	ToneBackup    Tone = "backup, restore"
	ToneCordon    Tone = "cordon"
	ToneDrain     Tone = "drain"
	ToneUpgrade   Tone = "upgrade"
	ToneConfigure Tone = "configure, restart"
	ToneUncordon  Tone = "uncordon"
	ToneRemove    Tone = "remove"
	ToneJoin      Tone = "set up, join"
	ToneMaintain  Tone = "maintain"
	ToneUnit      Tone = "apply addons, tenants, objects"
	ToneOther     Tone = "other"
)

// Bound is where the time that an action may take comes from. All are generous, for a slow line or a slow disk.
type Bound string

const (
	BoundFixed Bound = "fixed" // the table says it
	BoundNode  Bound = "node"  // the policy: what a node that k0s is started on has (Settle.NodeTimeout), and a minute
	BoundDrain Bound = "drain" // the policy's for a drain, and a minute: the drain's own limit comes first, for it names the pods
	BoundGiven Bound = "given" // whoever plans the step says it
)

// Lasts is how long an action takes, as far as an estimate cares.
type Lasts string

const (
	LastsMoment   Lasts = "a moment" // wherever it is done, so that an estimate can do without
	LastsTime     Lasts = "time"     // to be learnt from past runs
	LastsOperator Lasts = "operator" // as long as an operator's work, which nobody can tell
)

// Resume is when an action may be done that was not reviewed: where a run of a reviewed plan was cut off, and what is planned then only
// brings that to its end.
type Resume string

const (
	ResumeReviewed Resume = "reviewed" // never: it was reviewed, or it is not done
	ResumeHarmless Resume = "harmless" // always: it changes nothing on the site, nor does it need the lock
	ResumeEnds     Resume = "ends"     // on a machine that something was reviewed of
	ResumeTurn     Resume = "turn"     // on a machine whose pods were to move away, on behalf of what was reviewed
	ResumeInstall  Resume = "install"  // on a machine where the k0s service was to be installed
)

// Doer is who carries it out; "" for an action that is not known.
func (a Action) Doer() Doer { return a.row().doer }

// Verb is what becomes of a machine by it.
func (a Action) Verb() Verb { return a.row().verb }

// Tone is what it has in common with others that are shown alike.
func (a Action) Tone() Tone { return a.row().tone }

// Lasts is how long it takes, as far as an estimate cares.
func (a Action) Lasts() Lasts { return a.row().lasts }

// Resume is when it may be done without having been reviewed.
func (a Action) Resume() Resume { return a.row().resume }

// Timeout bounds the action itself, not its gates. Zero: whoever plans it says.
func (a Action) Timeout(p Policy) time.Duration {
	switch r := a.row(); r.bound {
	case BoundDrain:
		return p.Drain.Timeout + time.Minute
	case BoundNode:
		return p.Settle.NodeTimeout + time.Minute
	default:
		return r.within
	}
}

// Disrupts reports whether pods, or an API server, go away for a while whenever it is done. Others disrupt as their step says.
func (a Action) Disrupts() bool { return a.row().disrupts }

// Installs reports whether the step's version is in place on its machine when it is done; Removes, whether no k0s is left there.
func (a Action) Installs() bool { return a.row().installs }
func (a Action) Removes() bool  { return a.row().removes }

// InstallsService reports whether it installs the k0s service. Enrols reports whether its machine becomes a member by it.
func (a Action) InstallsService() bool { return a.row().service }
func (a Action) Enrols() bool          { return a.row().enrols }

// StartsK0s reports whether k0s is started by it, so that the log of k0s says why a machine does not come up.
func (a Action) StartsK0s() bool { return a.row().starts }

// Touches reports whether a node that was closed for it is not as it was, so that only its gates may return it to service.
func (a Action) Touches() bool { return a.row().touches }

// OnlyControllers reports whether only a controller's step has it. The control plane is not the same after it.
func (a Action) OnlyControllers() bool { return a.row().controllers }

// Alike reports whether what it fails by may befall machines or units of the same kind at other sites, too.
func (a Action) Alike() bool { return a.row().alike }

// EtcdGrowth is by how many members etcd grows; negative when it shrinks.
func (a Action) EtcdGrowth() int { return a.row().etcd }
