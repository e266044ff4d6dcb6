package session

import (
	"context"
	"io"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/diff"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/readiness"
)

// Parts are what a session stands on. Open makes the real ones; whoever tests what stands on a session brings others.
type Parts struct {
	Site      Site
	Lock      Locker
	Runner    Runner
	Records   Records
	Workloads Workloads
	// Pins are what the cluster keeps of a control plane that acts as its former release; nil where nobody asks.
	Pins Pins
	// Backups are what the cluster keeps of its backups; nil where it keeps nothing.
	Backups Backups
	// Logs are those of the machines' k0s; nil where nobody asks for them.
	Logs apply.Logs
	// Missing finds that the source of k0s does not have a version; nil where nobody looks.
	Missing func(ctx context.Context, v lifecycle.Version, arch string) (lifecycle.Diagnostic, bool)
	// Witnesses tell what a version would break; nil where nobody asks them.
	Witnesses Witnesses
	// Everything gives each object that the API keeps, without values of Secrets, and says what could not be read; nil where nobody asks.
	Everything func(ctx context.Context) (objects []lifecycle.Object, unread []string, err error)
	// Inventories are what the cluster keeps of addons that were applied; nil where nobody asks.
	Inventories func(ctx context.Context) ([]lifecycle.Inventory, error)
	// Plans are the planners. Those that are nil are package plan's.
	Plans Planners
}

// Site is a site's machines and the Kubernetes API behind them.
type Site interface {
	// Observe learns what is there and changes nothing. Its hosts are the caller's to add to.
	Observe(ctx context.Context) (lifecycle.State, error)
	// Credentials are the administrator's, as a running controller has them; zero when none runs.
	Credentials(ctx context.Context) (lifecycle.Credentials, error)
	Close() error
}

// Locker is the lock of a site: one run has it at a time. Where it is kept depends on what was seen of the site.
type Locker interface {
	// Contend prepares to take the lock.
	Contend(claim lock.Claim) Contender
	// Locks are what runs hold, wherever the site keeps its lock. Nothing is changed.
	Locks(ctx context.Context, seen lifecycle.State) ([]lifecycle.Lock, error)
	// BreakLock takes a lock away from its holder, whose next step is then refused. lifecycle.ErrLockMoved: it is no longer that one.
	BreakLock(ctx context.Context, seen lifecycle.State, held lifecycle.Lock) error
}

// Contender is a run that wants the lock.
type Contender interface {
	// Await waits, as long as the claim says, until nobody else has the lock, and reports whether it had to. It takes nothing.
	Await(ctx context.Context, seen lifecycle.State) (waited bool, err error)
	// Take takes it, and keeps it until release. Steps act only while the fence lets them.
	Take(ctx context.Context, seen lifecycle.State) (fence *lock.Fence, release func(), err error)
}

// Runner carries plans out.
type Runner interface {
	Run(ctx context.Context, plan lifecycle.Plan, run Run) error
}

// Run is one execution of one plan.
type Run struct {
	ID string
	// Who runs it, Where, and what it is Doing: for the record.
	Who, Where, Doing string
	// Follows says that another plan follows at once, because this one can't see beyond its end.
	Follows bool
	// Review is what people said yes to beforehand; nil where that was not asked for.
	Review *lifecycle.Review
	// Seen is what the plan was made from.
	Seen lifecycle.State
	// Fence is asked before each step whether the run still has the site's lock; nil where the plan needs none.
	Fence *lock.Fence

	Sink lifecycle.Sink
	// Commands takes a JSON line for each command of a step, before the command is sent to its machine.
	Commands io.Writer
	// KeepBackup keeps a backup that a step takes.
	KeepBackup lifecycle.KeepBackup
	// Backup finds the newest backup from before a version, wherever the site keeps them; nil: nobody knows.
	Backup func(before lifecycle.Version) (lifecycle.KeptBackup, bool)
	// Stop, when closed, lets the steps in hand finish and starts no other.
	Stop <-chan struct{}
	// WorkDone waits until the operator says that the work a step waits for is done. Nil: there is no operator.
	WorkDone func(ctx context.Context, step lifecycle.Step) error
}

// Records are what the cluster remembers for kiban.
type Records interface {
	// Runs are the runs that the cluster keeps a record of, newest first.
	Runs(ctx context.Context) ([]lifecycle.RunRecord, error)
	// UpdateTold has edit change what the cluster remembers of what people were told. edit may be called again.
	UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error
	// Soak is how long the cluster has run its versions, by what it keeps; KeepSoak has it keep what next makes of that. next may be
	// called again.
	Soak(ctx context.Context) (lifecycle.Soak, error)
	KeepSoak(ctx context.Context, next func(prev lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error)
}

// Pins is what the cluster keeps of a control plane that acts as its former release.
type Pins interface {
	// Pinned is zero where none was ever.
	Pinned(ctx context.Context) (lifecycle.Pinned, error)
	// KeepPinned has it keep what next makes of that, and writes nothing where that is the same. next may be called again.
	KeepPinned(ctx context.Context, next func(prev lifecycle.Pinned) lifecycle.Pinned) error
}

// Backups are what the cluster tells, and keeps, of its backups.
type Backups interface {
	// Contents are how many objects of each kind the cluster has.
	Contents(ctx context.Context) (lifecycle.Contents, error)
	// ReadBack is Contents with every object read, and how many of them whole.
	ReadBack(ctx context.Context) (found lifecycle.Contents, sample int, err error)
	// BackupRecords are what it keeps of its backups, the newest first; RecordBackup has it keep one.
	BackupRecords(ctx context.Context) ([]lifecycle.BackupRecord, error)
	RecordBackup(ctx context.Context, r lifecycle.BackupRecord) error
}

// Workloads are what people run on the site.
type Workloads interface {
	// TenantUse is what tenants use of their quotas: those declared first, then those that have left the repository.
	TenantUse(ctx context.Context) ([]lifecycle.TenantUse, error)
	// Verify proves what the site promises to workloads, by probes that carry the run's name and are gone when it returns.
	Verify(ctx context.Context, run string, progress func(string)) ([]lifecycle.Promise, error)
}

// Planners make plans. They are pure.
type Planners struct {
	Make    func(site lifecycle.Site, state lifecycle.State, opts lifecycle.PlanOptions) lifecycle.Plan
	Node    func(site lifecycle.Site, state lifecycle.State, task lifecycle.NodeTask) lifecycle.Plan
	Backup  func(site lifecycle.Site) lifecycle.Plan
	Restore func(site lifecycle.Site, state lifecycle.State, from lifecycle.Backup, rejoin bool) lifecycle.Plan
	Renew   func(site lifecycle.Site, state lifecycle.State, all bool) lifecycle.Plan
	// MaintainEtcd gives back what etcd's files hold nothing in.
	MaintainEtcd func(site lifecycle.Site, state lifecycle.State) lifecycle.Plan
	// Back takes a control plane that soaks back to its former release, and Commit makes it for good.
	Back, Commit func(site lifecycle.Site, state lifecycle.State) lifecycle.Plan
	Estimate     func(plan lifecycle.Plan, runs []lifecycle.RunRecord) *lifecycle.Estimate
	// Ready says what a version would break.
	Ready func(readiness.Input) lifecycle.Readiness
}

// guarded is package plan's plan together with what guards the site: whoever says yes to one says yes to both.
func guarded(site lifecycle.Site, state lifecycle.State, opts lifecycle.PlanOptions) lifecycle.Plan {
	made := plan.Make(site, state, opts)
	made.Guards = diff.Guards(site)
	return made
}

func (p Planners) filled() Planners {
	if p.Make == nil {
		p.Make = guarded
	}
	if p.Node == nil {
		p.Node = plan.Node
	}
	if p.Backup == nil {
		p.Backup = plan.Backup
	}
	if p.Restore == nil {
		p.Restore = plan.Restore
	}
	if p.Renew == nil {
		p.Renew = plan.Renew
	}
	if p.MaintainEtcd == nil {
		p.MaintainEtcd = plan.MaintainEtcd
	}
	if p.Back == nil {
		p.Back = plan.Back
	}
	if p.Commit == nil {
		p.Commit = plan.Commit
	}
	if p.Estimate == nil {
		p.Estimate = plan.Estimate
	}
	if p.Ready == nil {
		p.Ready = readiness.Check
	}
	return p
}
