package lifecycle

import (
	"strings"
	"time"
)

// A unit is what is applied, compared and pruned together: an addon, a tenant, or the objects of a site that belong to neither. Its name
// is what steps call their target.
const (
	UnitAddon   = "addon/"  // followed by the addon's name
	UnitTenant  = "tenant/" // followed by the tenant's name
	UnitObjects = "objects"
)

// IsUnit reports whether a step's target is a unit, not a host.
func IsUnit(target string) bool {
	return target == UnitObjects || strings.HasPrefix(target, UnitAddon) || strings.HasPrefix(target, UnitTenant)
}

// UnitLabel is a unit as people call it: "addon metallb", "tenant product-a", "objects of the site".
func UnitLabel(target string) string {
	if target == UnitObjects {
		return "objects of the site"
	}
	return strings.Replace(target, "/", " ", 1)
}

// UnitState is a unit as it was seen: what is declared beside what the cluster has, as its API judges both.
type UnitState struct {
	Name string `json:"name"`
	// Unknown says why nothing below is known; empty when it is.
	Unknown string `json:"unknown,omitempty"`
	// Declared is false for a unit that is in the cluster and has left the repository.
	Declared bool `json:"declared"`
	// Installed says that the cluster has it, by kiban's inventory or, of a chart, by a Helm release. NotYet: there is no cluster yet.
	Installed bool `json:"installed,omitempty"`
	NotYet    bool `json:"notYet,omitempty"`
	// Adopts says that it is there but kiban never applied it: a release or objects that someone else made.
	Adopts bool `json:"adopts,omitempty"`
	// DependsOn are the units that come first.
	DependsOn []string `json:"dependsOn,omitempty"`
	// Chart and Version are what is declared, Release is what Helm says is there. All empty for manifests, tenants and objects.
	Chart   string  `json:"chart,omitempty"`
	Version string  `json:"version,omitempty"`
	Release Release `json:"release,omitzero"`
	// KubeVersion is the range of Kubernetes versions that the declared chart says it is made for, AppVersion what that says it installs. Both
	// are "" where it says nothing, and where it is not known: then Unknown or Diagnostics say so.
	KubeVersion string `json:"kubeVersion,omitempty"`
	AppVersion  string `json:"appVersion,omitempty"`
	// Serves are the versions and kinds that the definitions among the declared objects serve: "metallb.io/v1beta1/AddressPool", sorted.
	Serves []string `json:"-"`
	// Digest identifies what is declared, rendered, without secret values and volatile fields.
	Digest string `json:"digest,omitempty"`
	// Rerenders says that the chart makes something else of its values for the declared Kubernetes version than for the one that runs.
	Rerenders bool `json:"rerenders,omitempty"`
	// Changes are the objects that differ, in the order in which they are applied; Unchanged is how many do not.
	Changes   []ObjectChange `json:"changes,omitempty"`
	Unchanged int            `json:"unchanged"`
	// Hooks are what Helm runs beside the objects when the unit is applied, or removed, in words: "Job metallb/init, before install". Ignored
	// are the fields that differ, or may, and are not compared, with the reason.
	Hooks   []string `json:"hooks,omitempty"`
	Ignored []string `json:"ignored,omitempty"`
	// Changed says that the unit has to be applied although no object differs, and why: "its release failed".
	Changed string `json:"changed,omitempty"`
	// Health is how its objects in the cluster are.
	Health Health `json:"health,omitzero"`
	// Timeout bounds the wait for its health after a change.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Diagnostics are what stands in the way, or a reviewer must know.
	Diagnostics Diagnostics `json:"diagnostics,omitempty"`
}

// Drifted is how many of its objects someone changed in the cluster.
func (u UnitState) Drifted() int {
	n := 0
	for _, c := range u.Changes {
		if c.Drift {
			n++
		}
	}
	return n
}

// Differing is how many objects applying would change.
func (u UnitState) Differing() int {
	n := 0
	for _, c := range u.Changes {
		if c.Change != ChangeKeep {
			n++
		}
	}
	return n
}

// HealthStatus sums up objects, in kstatus' words (sigs.k8s.io/cli-utils).
type HealthStatus string

const (
	HealthUnknown    HealthStatus = ""
	HealthCurrent    HealthStatus = "Current"    // as declared, and up
	HealthInProgress HealthStatus = "InProgress" // on the way there
	HealthFailed     HealthStatus = "Failed"     // will not get there by waiting
	HealthNotFound   HealthStatus = "NotFound"   // an object is missing
)

// Health is how a unit or an object is.
type Health struct {
	Status HealthStatus `json:"status"`
	// Why names the first objects that are not Current, and what they say: "DaemonSet metallb-system/speaker: 3 of 4 pods are ready".
	Why string `json:"why,omitempty"`
}

// IsWell reports whether all objects are as declared, and up.
func (h Health) IsWell() bool { return h.Status == HealthCurrent }

// ObjectHealth is how one object is.
type ObjectHealth struct {
	ObjectRef
	Health
}

// UnitHealth is how a unit's objects in the cluster are.
type UnitHealth struct {
	Unit string
	// Chart and Version are those of the release that was healthy last; empty for what is no chart. Unfinished says that the run which
	// applies it has not come to its end.
	Chart, Version string
	Unfinished     bool
	// Bad are those that are not Current.
	Bad []ObjectHealth
}

// ChangeKind is what applying does to an object.
type ChangeKind string

const (
	ChangeCreate ChangeKind = "create"
	ChangeUpdate ChangeKind = "update"
	ChangeDelete ChangeKind = "delete"
	// ChangeReplace deletes and creates it: a field that differs can't be changed in place.
	ChangeReplace ChangeKind = "replace"
	// ChangeKeep leaves an object that is no longer declared, because data would go with it: a namespace, a claim, a custom resource
	// definition.
	ChangeKeep ChangeKind = "keep"
)

// ObjectChange is one object that applying changes.
type ObjectChange struct {
	ObjectRef
	Change ChangeKind `json:"change"`
	// Fields are what differs, sorted by path; none for create and delete.
	Fields []FieldChange `json:"fields,omitempty"`
	// Drift says that the declaration is what was last applied: someone changed the object in the cluster.
	Drift bool `json:"drift,omitempty"`
	// Reason says more, in words: "deleted by hand", "its kind comes with this addon", "the webhook is not up, so it could not be judged".
	Reason string `json:"reason,omitempty"`
}

// FieldChange is one field that applying changes. Values are JSON, shortened, with secrets masked; "" is a field that is not there.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	// By is the field manager that wrote From, and At when, if it was not kiban: "kubectl-edit".
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
}

// Inventory is kiban's record, kept in the cluster, of what it applied as a unit.
type Inventory struct {
	Unit string `json:"unit"`
	// Digest is UnitState.Digest of what was applied last, Run the run that did it. Empty while a run is at it, or was cut off.
	Digest string `json:"digest"`
	Run    string `json:"run,omitempty"`
	// Chart, Version, Release and Namespace are the release's, for a chart.
	Chart     string `json:"chart,omitempty"`
	Version   string `json:"version,omitempty"`
	Release   string `json:"release,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Healthy is the revision of the release that was healthy last, 0 when none was: what a failed upgrade goes back to.
	Healthy int             `json:"healthy,omitempty"`
	Objects []InventoryItem `json:"objects"`
}

// Unfinished reports whether the run that last applied the unit has not come to its end.
func (inv Inventory) Unfinished() bool { return inv.Unit != "" && inv.Digest == "" }

// InventoryItem is one object that was applied, and the digest of what was declared of it.
type InventoryItem struct {
	ObjectRef
	Digest string `json:"digest"`
	// Early says that it was applied before the unit's chart: a namespace, a definition, a secret.
	Early bool `json:"early,omitempty"`
}

// Find finds an object's item.
func (inv Inventory) Find(r ObjectRef) (InventoryItem, bool) {
	for _, it := range inv.Objects {
		if it.Same(r) {
			return it, true
		}
	}
	return InventoryItem{}, false
}
