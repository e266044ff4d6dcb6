package lifecycle

import "time"

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
	// Target is the version the site is to have. Hops are the versions on the way, Target last; empty when no version changes.
	Target Version   `json:"target"`
	Hops   []Version `json:"hops,omitempty"`
	// Unfinished says why the plan ends before the site is as declared: what comes next depends on what its steps bring about, such as
	// an API that answers again. Whoever runs it makes the next plan after it. Empty: the plan leads all the way.
	Unfinished string `json:"unfinished,omitempty"`
	// Coming are the units that an Unfinished plan names as what the next one changes: charts that make something else for the version that
	// this one brings.
	Coming []string `json:"coming,omitempty"`
	// Steps are in a valid serial order. Steps of one Stage may run side by side as far as Needs and the stage's window allow.
	Steps  []Step  `json:"steps,omitempty"`
	Stages []Stage `json:"stages,omitempty"`
	// Diagnostics are what a reviewer must know: blocked gates, hosts that were not reached, policy findings.
	Diagnostics Diagnostics `json:"diagnostics,omitempty"`
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
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

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

// Domain is one failure domain and the targets in it.
type Domain struct {
	Name    string   `json:"name"`
	Targets []string `json:"targets"`
}

// Action names what a step does. Its name is looked up in one table when the step is run.
type Action string

const (
	// ActionPrepare makes a machine ready for k0s: packages, environment, declared files. Params: none.
	ActionPrepare Action = "prepare"
	// ActionStage puts a k0s binary, verified against its checksum, on the machine beside the installed one. Uses Version.
	ActionStage Action = "stage"
	// ActionConfigure writes a controller's k0s.yaml, after `k0s config validate`, and restarts the service if it runs; unless
	// Version is set, which says that an upgrade step follows, whose restart serves both.
	ActionConfigure Action = "configure"
	// ActionInitialize installs and starts the first controller. ActionJoinController and ActionJoinWorker join a further machine;
	// their join token is invalidated and overwritten whatever happens.
	ActionInitialize     Action = "initialize"
	ActionJoinController Action = "join-controller"
	ActionJoinWorker     Action = "join-worker"
	// ActionBackup takes a backup of the control plane and puts it under .kiban/backups on the machine that runs kiban.
	ActionBackup Action = "backup"
	// ActionRestore fills a controller that has no data from a backup, and starts it: a control plane of one, with the data and the keys
	// of the backup. Others join it.
	ActionRestore Action = "restore"
	// ActionRestart restarts the service as it is, or starts it: what runs there must forget what it knows of a control plane that
	// is no more.
	ActionRestart Action = "restart"
	// ActionCordon and ActionUncordon close and open a node for scheduling, with kiban's mark. ActionDrain moves its pods away.
	ActionCordon   Action = "cordon"
	ActionDrain    Action = "drain"
	ActionUncordon Action = "uncordon"
	// ActionUpgrade stops k0s, puts the staged binary of Version in its place, re-installs the service with the declared
	// arguments, and starts it. Each part is left out where it is done already, so it also finishes an interrupted one.
	ActionUpgrade Action = "upgrade"
	// ActionRestoreFormer puts back the k0s binary and service that an upgrade which kept them (Step.OnFailure) has replaced. Version is
	// that binary's. ActionForgetFormer removes what is kept.
	ActionRestoreFormer Action = "restore-former"
	ActionForgetFormer  Action = "forget-former"
	// ActionReinstall is the same without another binary: the service gets the declared arguments and is restarted.
	ActionReinstall Action = "reinstall"
	// ActionStart starts a stopped service as it is.
	ActionStart Action = "start"
	// ActionLeaveEtcd takes a controller out of etcd before its service stops; ActionDeleteNode deletes its Node object;
	// ActionReset stops k0s and wipes what it left on the machine.
	ActionLeaveEtcd  Action = "leave-etcd"
	ActionDeleteNode Action = "delete-node"
	ActionReset      Action = "reset"
	// ActionTidy removes what interrupted runs left on a machine: join tokens, staged binaries of other versions.
	ActionTidy Action = "tidy"
	// ActionReboot restarts a machine, unless it has restarted since its GateRebooted was planned; ActionRun runs Command on it as root;
	// ActionAwait waits until the operator says that the work on it is done.
	ActionReboot Action = "reboot"
	ActionRun    Action = "run"
	ActionAwait  Action = "await"
	// ActionFiles puts the declared files that differ on a machine, and restarts k0s when one of them asks for it (HostFile.Restart).
	ActionFiles Action = "files"
	// ActionApply applies a unit (an addon, a tenant, objects) and waits for its health; when a chart's health is not reached, the former
	// release is brought back. ActionPrune removes a unit that has left the repository, but for what holds data.
	ActionApply Action = "apply"
	ActionPrune Action = "prune"
)

// Step is one thing to do to one target.
type Step struct {
	// ID is "<target>/<action>", with "@<version>" behind it when a plan of several hops does that more than once.
	ID     string `json:"id"`
	Stage  string `json:"stage"`
	Action Action `json:"action"`
	// Target is a host's name, a unit's, or "" for the cluster as a whole (the ID then begins with "cluster/").
	Target string `json:"target,omitempty"`
	// Version is what ActionStage, ActionUpgrade and the joins install; From is what is there now, for people.
	Version Version `json:"version,omitzero"`
	From    Version `json:"from,omitzero"`
	// Reason says why, in words a reviewer can check against the State.
	Reason string `json:"reason"`
	// Changes lists what a configuration step changes, "spec.network.provider: kuberouter -> calico"; secrets masked.
	Changes []string `json:"changes,omitempty"`
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
	// Before must be met before the step acts, After before it counts as done.
	Before []Gate `json:"before,omitempty"`
	After  []Gate `json:"after,omitempty"`
	// Needs are the ids of steps that must be done first.
	Needs []string `json:"needs,omitempty"`
	// Hold, of ActionCordon: the node stays closed until an operator returns it; its mark says so (Mark.Maintenance). TakeOver: the mark
	// is put also on a node that an administrator has cordoned.
	Hold     bool `json:"hold,omitempty"`
	TakeOver bool `json:"takeOver,omitempty"`
	// Command is what ActionRun runs, word by word.
	Command []string `json:"command,omitempty"`
	// OnFailure are carried out when this step's action or a gate behind it fails, but for an interruption: the way back. When they are
	// done, the target's own uncordon of the plan, if it has one, follows at once. The run ends as failed all the same.
	OnFailure []Step `json:"onFailure,omitempty"`
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

// GateKind names a condition. The table of package check decides it.
type GateKind string

const (
	// GateEtcdQuorum: every controller's etcd but the target's serves, and they are a majority without the target.
	GateEtcdQuorum GateKind = "etcd-quorum"
	// GateAPIServers: every controller's API server but the target's (if one is named) answers /readyz.
	GateAPIServers GateKind = "api-servers"
	// GateAPIReady: the target's own API server answers /readyz, its etcd check included.
	GateAPIReady GateKind = "api-ready"
	// GateLeaders: the leases of controller manager and scheduler are held by a live holder and renewed after the step began,
	// and EndpointSlices follow: the control plane is whole again (H36).
	GateLeaders GateKind = "leaders"
	// GateEtcdMember: the target is in etcd's member list at its address; GateEtcdLeft: it no longer is.
	GateEtcdMember GateKind = "etcd-member"
	GateEtcdLeft   GateKind = "etcd-left"
	// GateK0sRuns: `k0s status` on the target answers with exactly Version, and the service has run for For without a restart (H25, H37).
	GateK0sRuns GateKind = "k0s-runs"
	// GateNodeReady: the target's node is Ready by a heartbeat newer than its service's start, at Version's kubelet (H37).
	GateNodeReady GateKind = "node-ready"
	// GateNodesReady: every node but those that kiban itself has cordoned is Ready.
	GateNodesReady GateKind = "nodes-ready"
	// GateDaemonSets: the pods of daemon sets on the target are Ready.
	GateDaemonSets GateKind = "daemon-sets"
	// GateBudgets: no disruption budget has fewer healthy pods than it wants, except those that already had when the run began.
	GateBudgets GateKind = "budgets"
	// GateBudgetRoom: every budget that guards a pod on the target allows a disruption now.
	GateBudgetRoom GateKind = "budget-room"
	// GateWindow: now is within one of the site's maintenance windows.
	GateWindow GateKind = "window"
	// GateRebooted: the target's boot id is another than Was.
	GateRebooted GateKind = "rebooted"
	// GateUnits: every addon that is in the cluster is healthy, but for those that were not when the run began.
	GateUnits GateKind = "addons"
)

// Gate is a named condition that must be met. Never a sleep.
type Gate struct {
	Kind    GateKind `json:"kind"`
	Target  string   `json:"target,omitempty"`
	Version Version  `json:"version,omitzero"`
	// Was is what GateRebooted compares with: the boot id before.
	Was string `json:"was,omitempty"`
	// For is how long the condition must have held, where its kind says so.
	For time.Duration `json:"for,omitempty"`
	// Timeout bounds the wait. Zero: it must be met at once.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// String names the condition for people: "node worker-3 Ready at v1.36.3+k0s".
func (g Gate) String() string {
	switch g.Kind {
	case GateEtcdQuorum:
		if g.Target != "" {
			return "etcd keeps quorum without " + g.Target
		}
		return "etcd has quorum"
	case GateAPIServers:
		if g.Target != "" {
			return "every other API server is ready"
		}
		return "every API server is ready"
	case GateAPIReady:
		return "API server of " + g.Target + " is ready"
	case GateLeaders:
		return "controller manager and scheduler lead again and endpoints follow"
	case GateEtcdMember:
		return g.Target + " is an etcd member"
	case GateEtcdLeft:
		return g.Target + " has left etcd"
	case GateK0sRuns:
		return "k0s on " + g.Target + " runs " + g.Version.String()
	case GateNodeReady:
		return "node " + g.Target + " Ready at " + g.Version.Kubelet()
	case GateNodesReady:
		return "every other node is Ready"
	case GateDaemonSets:
		return "daemon set pods on " + g.Target + " are Ready"
	case GateBudgets:
		return "disruption budgets are healthy"
	case GateBudgetRoom:
		return "disruption budgets let " + g.Target + " be drained"
	case GateWindow:
		return "a maintenance window is open"
	case GateUnits:
		return "addons are healthy"
	case GateRebooted:
		return g.Target + " has rebooted"
	}
	return string(g.Kind)
}

// GateState is how a gate stands.
type GateState string

const (
	GateMet     GateState = "met"
	GateWaiting GateState = "waiting"
	GateSkipped GateState = "skipped" // the condition does not apply here; the reason says why
	GateFailed  GateState = "failed"  // it cannot be met by waiting
)

// GateResult is one look at a gate.
type GateResult struct {
	State GateState `json:"state"`
	// Reason says in words what was seen: "currentHealthy 2 of 3 (shop/web)".
	Reason string `json:"reason"`
}
