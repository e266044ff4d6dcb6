package lifecycle

import (
	"slices"
	"time"
)

// PlanFormat is the version of the Plan's JSON form. Readers refuse another major.
const PlanFormat = "1.0"

// Plan is what would be done to a site: data, ordered, deterministic. Executing it may use nothing that is not in it.
type Plan struct {
	Format string `json:"format"`
	Site   string `json:"site"`
	// ClusterUID is the cluster the plan was made for; empty before there is one.
	ClusterUID string `json:"clusterUID,omitempty"`
	Revision   string `json:"revision,omitempty"`
	// SiteDigest and FactsDigest are what the plan was made from. It is refused when either has changed.
	SiteDigest  string `json:"siteDigest"`
	FactsDigest string `json:"factsDigest"`
	// Guards are the settings that decide how, when and on whose word the site may be changed, by name ("upgrade.windows"), each with a
	// digest of its value: a plan is reviewed together with them.
	Guards map[string]string `json:"guards,omitempty"`
	// Target is the version the site is to have. Hops are the versions on the way, Target last; empty when no version changes.
	Target Version   `json:"target"`
	Hops   []Version `json:"hops,omitempty"`
	// Unfinished says why the plan ends before the site is as declared: what comes next depends on what its steps bring about, such as
	// an API that answers again. Whoever runs it makes the next plan after it. Empty: the plan leads all the way.
	Unfinished string `json:"unfinished,omitempty"`
	// Waits says what of the declaration is not due yet: workers whose control plane soaks. Nothing is wrong with that. Empty: all of it is.
	Waits string `json:"waits,omitempty"`
	// Coming are the units that an Unfinished plan names as what the next one changes: charts that make something else for the version that
	// this one brings.
	Coming []string `json:"coming,omitempty"`
	// Anew: it begins a cluster in the place of one that the site had and that is lost.
	Anew bool `json:"anew,omitempty"`
	// Steps are in a valid serial order. Steps of one Stage may run side by side as far as Needs and the stage's window allow.
	Steps  []Step  `json:"steps,omitempty"`
	Stages []Stage `json:"stages,omitempty"`
	// Diagnostics are what a reviewer must know: blocked gates, hosts that were not reached, policy findings.
	Diagnostics Diagnostics `json:"diagnostics,omitempty"`
	// Readiness is what the version would break; nil where the plan changes no version.
	Readiness *Readiness `json:"readiness,omitempty"`
	// Estimate is how long it may take; nil when no past run tells.
	Estimate *Estimate `json:"estimate,omitempty"`
}

// Estimate is how long a plan may take, by what its actions took in past runs of the same site.
type Estimate struct {
	Duration time.Duration `json:"duration"`
	// Runs is how many past runs it rests on.
	Runs int `json:"runs"`
}

// PlanOptions are the choices that are not the site's but the operator's.
type PlanOptions struct {
	// PruneTenants deletes the tenants that have left the repository, with their data.
	PruneTenants bool
	// NewCluster begins the cluster anew although the site had one that is lost, with all that was stored in it.
	NewCluster bool
	// RetryFailed lets a job put a version on a machine on which it failed before. A person at a terminal is told, and asked as ever.
	RetryFailed bool
	// InJob says that kiban runs in a pipeline's job, whose files are gone when it has ended.
	InJob bool
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// FormerVersions are those of k0s that machines have before the plan changes them, the oldest first. What it only passes through is none.
func (p Plan) FormerVersions() []Version {
	var former []Version
	for _, s := range p.Steps {
		if s.Action == ActionUpgrade && !s.From.IsZero() && s.From != p.Target && !slices.Contains(former, s.From) &&
			!slices.Contains(p.Hops, s.From) {
			former = append(former, s.From)
		}
	}
	slices.SortFunc(former, Version.Compare)
	return former
}

// FormerVersion is the oldest of them; zero when no machine's version changes.
func (p Plan) FormerVersion() Version {
	if former := p.FormerVersions(); len(former) > 0 {
		return former[0]
	}
	return Version{}
}

// Step finds a step by id.
func (p Plan) Step(id string) (Step, bool) {
	for _, s := range p.Steps {
		if s.ID == id {
			return s, true
		}
	}
	return Step{}, false
}

// Stage is a group of steps that belong together: "control plane to v1.36.3+k0s.2", "workers to v1.36.3+k0s.2". Stages run one
// after another.
type Stage struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Width is how many targets may be under way at once: 1 is serial, 0 is no limit but the connection limit.
	Width int `json:"width"`
	// Canary targets go first, one by one, before the width opens.
	Canary int `json:"canary,omitempty"`
	// Domains groups the targets by failure domain: only one domain has targets under way at a time. Empty: no domains.
	Domains []Domain `json:"domains,omitempty"`
	// Budgeted: among the targets that could go next, the first whose pods' disruption budgets allow it goes.
	Budgeted bool `json:"budgeted,omitempty"`
}

// UploadsAtOnce is how many k0s binaries travel side by side: each is about 250 MB. Plans begin no more of them at once, so that the time
// that a step is given is its own, and not spent in a queue.
const UploadsAtOnce = 5

// Domain is one failure domain and the targets in it.
type Domain struct {
	Name    string   `json:"name"`
	Targets []string `json:"targets"`
}

// Step is one thing to do to one target.
type Step struct {
	// ID is "<target>/<action>", with "@<version>" behind it when a plan of several hops does that more than once.
	ID     string `json:"id"`
	Stage  string `json:"stage"`
	Action Action `json:"action"`
	// Target is a host's name, a unit's, or "" for the cluster as a whole (the ID then begins with "cluster/").
	Target string `json:"target,omitempty"`
	// Version is what ActionUpload, ActionPreflight, ActionUpgrade and the joins install; From is what is there now, for people.
	Version Version `json:"version,omitzero"`
	From    Version `json:"from,omitzero"`
	// Reason says why, in words a reviewer can check against the State.
	Reason string `json:"reason"`
	// Changes lists what a configuration step changes, "spec.network.provider: kuberouter -> calico"; secrets masked.
	Changes []string `json:"changes,omitempty"`
	// Change, of ActionRestoreSettings, identifies what the target's k0s was to run with, so that it is known again when it is tried again.
	Change string `json:"change,omitempty"`
	// Objects are what ActionApply and ActionPrune change, in order. Digest is the UnitState.Digest of what is to be applied: a step whose
	// unit no longer has it is refused; "" where there was no cluster yet to render for.
	Objects []ObjectChange `json:"objects,omitempty"`
	Digest  string         `json:"digest,omitempty"`
	// Unchanged is how many of the unit's objects the step leaves as they are.
	Unchanged int `json:"unchanged,omitempty"`
	// Chart says from which release to which an addon goes, "0.16.1 -> 0.16.2"; Ignored are fields that are not compared.
	Chart   string   `json:"chart,omitempty"`
	Ignored []string `json:"ignored,omitempty"`
	// Brings is the chart that ActionApply installs in a version that the site does not have yet; zero when the version stays.
	Brings ChartVersion `json:"brings,omitzero"`
	// Hooks are what the chart runs beside its objects, in words: "Job metallb/init, before install".
	Hooks []string `json:"hooks,omitempty"`
	// Node is what ActionLabel changes.
	Node NodeChange `json:"node,omitzero"`
	// Before must be met before the step acts, After before it counts as done.
	Before []Gate `json:"before,omitempty"`
	After  []Gate `json:"after,omitempty"`
	// Needs are the ids of steps that must be done first.
	Needs []string `json:"needs,omitempty"`
	// Hold, of ActionCordon: the node stays closed until an operator returns it; its mark says so (Mark.Maintenance). TakeOver: the mark
	// is put also on a node that an administrator has cordoned.
	Hold     bool `json:"hold,omitempty"`
	TakeOver bool `json:"takeOver,omitempty"`
	// Emulates, of ActionConfigure, ActionInitialize and ActionJoinController: the k0s.yaml that they write has the programs of the control
	// plane act as that version's minor release, whatever they are.
	Emulates Version `json:"emulates,omitzero"`
	// Stopped, of ActionFiles and ActionConfigure: only while k0s does not run on the target, for the step behind it starts it, but does not
	// restart it. Where it has come up meanwhile nothing is done: the next plan does that in a turn of its own.
	Stopped bool `json:"stopped,omitempty"`
	// Command is what ActionRun runs, word by word.
	Command []string `json:"command,omitempty"`
	// OnFailure are carried out when this step's action or a gate behind it fails, but for an interruption: the way back. When they are
	// done, the target's own uncordon of the plan, if it has one, follows at once. The run ends as failed all the same.
	OnFailure []Step `json:"onFailure,omitempty"`
	// Keeps: before the step changes what k0s runs with, the machine keeps what that was, for ActionRestoreSettings.
	Keeps bool `json:"keeps,omitempty"`
	// Disrupts: pods, or an API server, go away for a while.
	Disrupts bool `json:"disrupts,omitempty"`
	// Timeout bounds the action itself, not its gates.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// ChartVersion is a version of a Helm chart.
type ChartVersion struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}
