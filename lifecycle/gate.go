package lifecycle

import (
	"strings"
	"time"
)

// GateKind names a condition. What there is to know of each is in the table of gate_table.go; package check decides it.
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
	// GateReconnected: the target's k0s, which has the only API server, was started at least For ago. Whoever watches that API learns nothing
	// while it is away, and tries again after up to a minute: until then proxies send requests to pods that are gone.
	GateReconnected GateKind = "reconnected"
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
	// GateSystem: the daemon sets and deployments that k0s brings are as well as when the run began, on every node that is in service, with
	// the images that are declared now.
	GateSystem GateKind = "system"
	// GateProbes: every address that the site has among its probes answers.
	GateProbes GateKind = "probes"
	// GateBudgets: no disruption budget has fewer healthy pods than it wants, except those that already had when the run began.
	GateBudgets GateKind = "budgets"
	// GateBudgetRoom: every budget that guards a pod on the target allows a disruption now.
	GateBudgetRoom GateKind = "budget-room"
	// GateWindow: now is within one of the site's maintenance windows.
	GateWindow GateKind = "window"
	// GateEmulates: the API server, the controller manager and the scheduler of the target say that they act as Version's minor release.
	// GateStored: its API server stores Kubernetes' own resources as the cluster's record of the pin has it.
	GateEmulates GateKind = "emulates"
	GateStored   GateKind = "stored-alike"
	// GateRebooted: the target's boot id is another than Was.
	GateRebooted GateKind = "rebooted"
	// GateUnits: every addon that is in the cluster is healthy, but for those that were not when the run began.
	GateUnits GateKind = "addons"
	// GateProven: a backup of the site was restored in a lab no longer ago than the site says.
	GateProven GateKind = "proven"
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
	r := g.Kind.row()
	words := r.of
	if words == "" || g.Target == "" && r.alone != "" {
		words = r.alone
	}
	if words == "" {
		return string(g.Kind)
	}
	return strings.NewReplacer("{target}", g.Target, "{version}", g.Version.String(), "{kubelet}", g.Version.Kubelet(),
		"{minor}", g.Version.MinorString()).Replace(words)
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
	// Unreached says that the machine it is about does not answer, so that nothing is known of its k0s.
	Unreached bool `json:"unreached,omitempty"`
}
