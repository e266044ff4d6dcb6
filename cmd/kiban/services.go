package main

import (
	"context"
	"io"
	"log/slog"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/supply"
)

// services are what verbs work with. wire.go builds the real ones; tests of verbs bring others.
type services struct {
	FindFleet  func(start string) (string, error)
	ListSites  func(fleet string) ([]string, error)
	RenderSite func(ctx context.Context, fleet, name string) ([]byte, lifecycle.Diagnostics)
	LoadSite   func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// LoadStrangers reads a site whose machines' host keys need not be known yet.
	LoadStrangers func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// LoadUnlocked reads a site whose lock file is about to be written, and need not match.
	LoadUnlocked func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// Describe reads a k0sctl document by itself, without a merge.
	Describe func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics)
	// OpenStore makes ready to get charts and manifests. Nothing is fetched yet.
	OpenStore func(opts storeOptions) supply.Charts
	// Binaries are the builds of k0s.
	Binaries supply.Binaries
	// HostKeys asks the machines for their host keys; TrustHosts puts keys into a known_hosts file.
	HostKeys   func(ctx context.Context, site lifecycle.Site) (lifecycle.HostKeys, error)
	TrustHosts func(file string, keys []lifecycle.HostKey) error
	CheckFleet func(sites []lifecycle.Site) lifecycle.Diagnostics
	MakePlan   func(site lifecycle.Site, state lifecycle.State, options ...lifecycle.PlanOptions) lifecycle.Plan
	// Estimate is how long a plan may take, by past runs; nil when they do not tell.
	Estimate func(plan lifecycle.Plan, runs []lifecycle.RunRecord) *lifecycle.Estimate
	// PlanNode is the plan for a task on one machine.
	PlanNode func(site lifecycle.Site, state lifecycle.State, task lifecycle.NodeTask) lifecycle.Plan
	// Checkout writes what a fleet declared at a revision into a folder, and gives the revision's full name.
	Checkout func(fleet, revision, into string) (string, error)
	// SiteInputs are the digests of the repository's files that a site's addons read, by how its documents name them.
	SiteInputs func(site lifecycle.Site) (map[string]string, error)
	// SiteReads are the files and folders of a fleet that decide what a site declares; false when only building it would tell.
	SiteReads func(fleet, name string) ([]string, bool)
	// PlanBackup is the plan that only takes a backup.
	PlanBackup func(site lifecycle.Site) lifecycle.Plan
	// PlanRestore is the plan that rebuilds the control plane from a backup; rejoin sets up every worker anew.
	PlanRestore func(site lifecycle.Site, state lifecycle.State, from lifecycle.Backup, rejoin bool) lifecycle.Plan
	// ChildPipeline writes a pipeline in the words of GitLab.
	ChildPipeline func(lifecycle.Pipeline) string
	// MergeRequest is how a merge request stands.
	MergeRequest func(ctx context.Context, mr mergeRequest, log *slog.Logger) (mergeRequestState, error)
	// UpsertNote puts the note that begins with marker on a merge request.
	UpsertNote upsertNote
	// The ways to people.
	tellServices
	// FetchReviewed finds the plans that the merge request of a commit showed.
	FetchReviewed fetchReviewed
	// Connect makes ready to talk to a site's machines. Nothing is dialled yet.
	Connect func(site lifecycle.Site, opts connectOptions) (connection, error)
}

type connectOptions struct {
	Log *slog.Logger
	// StateDir is where kiban keeps its own files: downloaded binaries, charts, backups, journals.
	StateDir string
	// Glance says that addons are only waited for: what applying them would change is not asked.
	Glance bool
	// Getenv finds the secrets that a site's documents take from the environment. Nil: none are there.
	Getenv func(string) string
	// Bundle is where binaries, charts and manifests come from instead of the network; nil: the network.
	Bundle *supply.Bundle
	// KeepBackup keeps a backup that take writes and says where. Nil: as the site declares, below StateDir.
	KeepBackup func(version lifecycle.Version, take func(io.Writer) error) (file string, err error)
	// Restore is the backup that a plan of PlanRestore is carried out with; nil otherwise.
	Restore *backup.Source
}

// connection is a site's machines and the Kubernetes API behind them.
type connection interface {
	// Observe learns what is there and changes nothing.
	Observe(ctx context.Context) (lifecycle.State, error)
	// Kubeconfig is the administrator's, as a running controller has it; nil when none runs.
	Kubeconfig(ctx context.Context) ([]byte, error)
	// Apply carries a plan out.
	Apply(ctx context.Context, plan lifecycle.Plan, run applyRun) error
	// Runs are the runs that the cluster keeps a record of, newest first.
	Runs(ctx context.Context) ([]lifecycle.RunRecord, error)
	// UpdateTold has edit change what the cluster remembers of what people were told. edit may be called again.
	UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error
	// Soak is how long the cluster has run its versions, by what it keeps; KeepSoak has it keep what next makes of that. next may be called again.
	Soak(ctx context.Context) (lifecycle.Soak, error)
	KeepSoak(ctx context.Context, next func(prev lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error)
	// TenantUse is what tenants use of their quotas: those declared first, then those that have left the repository.
	TenantUse(ctx context.Context) ([]lifecycle.TenantUse, error)
	// Verify proves what the site promises to workloads, by probes that carry the run's name and are gone when it returns.
	Verify(ctx context.Context, run string, progress func(string)) ([]lifecycle.Promise, error)
	locker
	Close() error
}

// applyRun is one execution of a plan.
type applyRun struct {
	ID string
	// Who runs it, and Where: for the record.
	Who, Where string
	// Review is what people said yes to beforehand; nil where that was not asked for.
	Review *lifecycle.Review
	// Claim asks for the site's lock, where the verb does not hold it already.
	Claim lock.Claim

	Sink lifecycle.Sink
	// Commands takes a JSON line for each command of a step, before the command is sent to its machine.
	Commands io.Writer
	// Stop, when closed, lets the steps in hand finish and starts no other.
	Stop <-chan struct{}
	// WorkDone waits until the operator says that the work a step waits for is done.
	WorkDone func(ctx context.Context, step lifecycle.Step) error
}

// connect opens a connection with the app's choices.
func (a *app) connect(site lifecycle.Site, fleet string) (connection, error) {
	return a.connectWith(site, fleet, connectOptions{})
}

// connectWith is connect for a verb that has choices of its own.
func (a *app) connectWith(site lifecycle.Site, fleet string, opts connectOptions) (connection, error) {
	opts.Log, opts.StateDir, opts.Getenv = a.log(), stateDir(fleet), a.Getenv
	if opts.KeepBackup == nil {
		opts.KeepBackup = backups(site, fleet).Keep
	}
	return a.Connect(site, opts)
}

// log is where adapters say what they do: nowhere, unless the operator wants to see it.
func (a *app) log() *slog.Logger {
	if a.verbose {
		return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}
