package fleet

import (
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// What a file of a collect says of itself. A kiban that knows more adds fields and keeps the version; one that means something else by a
// field changes it, and this one then reads nothing of the file.
const (
	CollectedVersion = "kiban.dev/v1alpha1"
	CollectedKind    = "CollectedSite"
)

// Collected is what is known of one site, as `kiban fleet collect` keeps it in a file: SITE.json.
//
// Each part stands for itself. Part.Now is what was learnt when the site was asked last, at Asked. What was not learnt then has the
// reason in Part.Unknown, and what was last known, with the time of that: never show it as what is.
type Collected struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Site       string `json:"site"`
	// Asked is when the site was asked last, in UTC, by the clock of the machine that asked. By is the version of kiban that did.
	Asked time.Time `json:"asked"`
	By    string    `json:"by"`
	// Revision is the commit that the repository was at, with "-dirty" where the work tree differed; "" where it is not known.
	Revision string `json:"revision,omitempty"`
	// Failed says why nothing could be learnt of the site at Asked; "" where something was.
	Failed string `json:"failed,omitempty"`

	// Declared is what the repository says of the site. It is known also of a site that did not answer.
	Declared Part[Declaration] `json:"declared"`
	// Standing is how it is, in short; Machines are its machines, Addons what is installed beside Kubernetes, sorted by name.
	Standing Part[Standing]         `json:"standing"`
	Machines Part[[]Machine]        `json:"machines"`
	Addons   Part[[]InstalledAddon] `json:"addons"`
	// Support is by when it must begin to leave its minor release.
	Support Part[calendar.Entry] `json:"support"`
	// Ready is what the next version would break.
	Ready Part[Foresight] `json:"ready"`
	// Drift is what `kiban plan` would say.
	Drift Part[Drift] `json:"drift"`
	// Soak is how long it has run its versions, healthy; Pinned the upgrade in two steps that is under way or was last, zero: none.
	Soak   Part[lifecycle.Soak]   `json:"soak"`
	Pinned Part[lifecycle.Pinned] `json:"pinned"`
	// Locks are those that runs hold, lapsed ones included. Standing.Run is the run that is at work.
	Locks Part[[]lifecycle.Lock] `json:"locks"`
	// Runs are the last RunsKept of the cluster's record, newest first, without Took.
	Runs Part[[]lifecycle.RunRecord] `json:"runs"`
	// Backups are what is kept to go back to; Certificates those that end first on each machine, the first to end first.
	Backups      Part[Backups]           `json:"backups"`
	Certificates Part[[]HostCertificate] `json:"certificates"`
	// Tenants are what tenants use of their quotas, a namespace each.
	Tenants Part[[]lifecycle.TenantUse] `json:"tenants"`
}

// RunsKept, LinesKept and BackupsKept are how much of long lists a file has.
const (
	RunsKept    = 20
	LinesKept   = 10
	BackupsKept = 10
)

// Part is one thing that is known of a site, or why it is not.
type Part[T any] struct {
	// At is when Value was learnt; zero: it never was.
	At time.Time `json:"at,omitzero"`
	// Unknown says why it could not be learnt when the site was asked last. Value is of an earlier time then, or there is none.
	Unknown string `json:"unknown,omitempty"`
	Value   T      `json:"value,omitzero"`
}

// Now is the value as of when the site was asked last; false where it was not learnt then.
func (p Part[T]) Now() (value T, known bool) {
	if p.Unknown != "" || p.At.IsZero() {
		return value, false
	}
	return p.Value, true
}

// Last is the value as it was known last, and when that was; false where it never was known.
func (p Part[T]) Last() (value T, at time.Time, known bool) { return p.Value, p.At, !p.At.IsZero() }

// Declaration is what the repository says of a site, in short.
type Declaration struct {
	// Revision and Digest are Site's.
	Revision string             `json:"revision,omitempty"`
	Digest   string             `json:"digest"`
	Wave     int                `json:"wave"`
	Labels   map[string]string  `json:"labels,omitempty"`
	Provider lifecycle.Provider `json:"provider,omitempty"`
	// Version is k0s's; zero where somebody else runs the machines.
	Version     lifecycle.Version `json:"version,omitzero"`
	Controllers int               `json:"controllers"`
	Workers     int               `json:"workers"`
	// Components are the folders of clusters/components that the site is built with, Addons what it installs; both sorted.
	Components []string        `json:"components,omitempty"`
	Addons     []DeclaredAddon `json:"addons,omitempty"`
	Tenants    []string        `json:"tenants,omitempty"`
	// Promotion is what the site waits for before it takes a version; ControlPlane how long a control plane can go back.
	Promotion    lifecycle.Promotion `json:"promotion,omitzero"`
	ControlPlane lifecycle.TwoStep   `json:"controlPlane,omitzero"`
	// Windows are when nodes may be disturbed; none: always.
	Windows []lifecycle.Window `json:"windows,omitempty"`
	// BackupTo are the places of backups, in words; Proven how young the last proof of one must be.
	BackupTo []string      `json:"backupTo,omitempty"`
	Proven   time.Duration `json:"proven,omitempty"`
}

// DeclaredAddon is an addon as it is declared. Chart and Version are empty where it is made of manifests.
type DeclaredAddon struct {
	Name    string `json:"name"`
	Chart   string `json:"chart,omitempty"`
	Version string `json:"version,omitempty"`
}

// InstalledAddon is an addon as the cluster has it.
type InstalledAddon struct {
	Name string `json:"name"`
	// Version is the release's; "" where it is made of manifests, or not installed.
	Version   string `json:"version,omitempty"`
	Installed bool   `json:"installed"`
	Declared  bool   `json:"declared"`
	Well      bool   `json:"well"`
	// Why says what is wrong with it; Unknown why nothing of this is known.
	Why     string `json:"why,omitempty"`
	Unknown string `json:"unknown,omitempty"`
}

// Machine is one machine, and of which kind it is: machines of a kind are likely to fail in the same way.
type Machine struct {
	Name string         `json:"name"`
	Role lifecycle.Role `json:"role"`
	// Problem says why it told nothing; "" where it answered.
	Problem string            `json:"problem,omitempty"`
	OS      string            `json:"os,omitempty"`
	Kernel  string            `json:"kernel,omitempty"`
	Arch    string            `json:"arch,omitempty"`
	Version lifecycle.Version `json:"version,omitzero"`
}

// Foresight is what a version would break, in short.
type Foresight struct {
	To lifecycle.Version `json:"to"`
	// Ready: nothing is in the way, and all of it was looked at.
	Ready bool `json:"ready"`
	// Blocks, Attention and Good are how many findings have each rank; Unseen is how many things could not be looked at.
	Blocks    int `json:"blocks"`
	Attention int `json:"attention"`
	Good      int `json:"good"`
	Unseen    int `json:"unseen"`
	// Verdict is that in a sentence. First are the first findings, the worst first, then what could not be looked at.
	Verdict string   `json:"verdict"`
	First   []string `json:"first,omitempty"`
}

// Drift is what is to be done to a site for it to be as declared, in short.
type Drift struct {
	// Steps is how many steps the plan has, Disrupts how many of them take pods or API servers away for a while.
	Steps    int `json:"steps"`
	Disrupts int `json:"disrupts,omitempty"`
	// Meaning identifies what they do: plans of the same meaning do the same.
	Meaning string `json:"meaning,omitempty"`
	// Does are the actions of the steps, sorted, each once.
	Does []lifecycle.Action `json:"does,omitempty"`
	// First are the first steps, a line each, with the reason.
	First []string `json:"first,omitempty"`
	// Target is the version that machines are to have, where a version changes. Brings are all versions that the plan brings, or may bring
	// where something could not be seen: what promotion judges.
	Target lifecycle.Version       `json:"target,omitzero"`
	Brings []lifecycle.SoakVersion `json:"brings,omitempty"`
	// Stops are findings that keep the plan from being carried out; Warnings is how many others there are.
	Stops    lifecycle.Diagnostics `json:"stops,omitempty"`
	Warnings int                   `json:"warnings,omitempty"`
	// Unfinished says why the plan ends before the site is as declared, Waits what of the declaration is not due yet.
	Unfinished string `json:"unfinished,omitempty"`
	Waits      string `json:"waits,omitempty"`
	// Estimate is how long the plan may take by past runs; 0: nothing tells.
	Estimate time.Duration `json:"estimate,omitempty"`
}

// Settled reports whether the site is as declared, and nothing stands in the way of knowing that.
func (d Drift) Settled() bool { return d.Steps == 0 && len(d.Stops) == 0 && d.Unfinished == "" }

// Backups are what is kept of a site to go back to.
type Backups struct {
	// Count is how many are known, a file in two places twice; Newest are the newest of them, the newest first, without their Contents.
	Count  int                    `json:"count"`
	Newest []lifecycle.KeptBackup `json:"newest,omitempty"`
	// Unasked names the places that could not be asked: there may be more.
	Unasked []string `json:"unasked,omitempty"`
	// Proven is the last restore of one, in a lab, that went through; nil: none is known.
	Proven *lifecycle.Proof `json:"proven,omitempty"`
}

// HostCertificate is a certificate of a machine.
type HostCertificate struct {
	Host string `json:"host"`
	lifecycle.Certificate
}

// part is a Part of whatever type.
type part interface {
	// unknown says why it is not known; what was known stays.
	unknown(why string)
	// learnt is when its value was, and why nothing was learnt since.
	learnt() (at time.Time, unknown string)
	carry(before part)
}

func (p *Part[T]) unknown(why string)          { p.Unknown = why }
func (p *Part[T]) learnt() (time.Time, string) { return p.At, p.Unknown }

// carry takes what was known before where nothing is now.
func (p *Part[T]) carry(before part) {
	if b, ok := before.(*Part[T]); ok && p.Unknown != "" {
		p.At, p.Value = b.At, b.Value
	}
}

// namedPart is a part with its name in the file.
type namedPart struct {
	part
	name string
}

// parts are all of them, in the order of the file.
func (c *Collected) parts() []namedPart {
	return []namedPart{{&c.Declared, "declared"}, {&c.Standing, "standing"}, {&c.Machines, "machines"}, {&c.Addons, "addons"},
		{&c.Support, "support"}, {&c.Ready, "ready"}, {&c.Drift, "drift"}, {&c.Soak, "soak"}, {&c.Pinned, "pinned"}, {&c.Locks, "locks"},
		{&c.Runs, "runs"}, {&c.Backups, "backups"}, {&c.Certificates, "certificates"}, {&c.Tenants, "tenants"}}
}
