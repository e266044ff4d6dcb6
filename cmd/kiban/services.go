package main

import (
	"context"
	"io"
	"log/slog"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/backup"
)

// services are what verbs work with. wire.go builds the real ones; tests of verbs bring others.
type services struct {
	FindFleet  func(start string) (string, error)
	ListSites  func(fleet string) ([]string, error)
	RenderSite func(ctx context.Context, fleet, name string) ([]byte, lifecycle.Diagnostics)
	LoadSite   func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// LoadStrangers reads a site whose machines' host keys need not be known yet.
	LoadStrangers func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// HostKeys asks the machines for their host keys; TrustHosts puts keys into a known_hosts file.
	HostKeys   func(ctx context.Context, site lifecycle.Site) (lifecycle.HostKeys, error)
	TrustHosts func(file string, keys []lifecycle.HostKey) error
	CheckFleet func(sites []lifecycle.Site) lifecycle.Diagnostics
	MakePlan   func(site lifecycle.Site, state lifecycle.State) lifecycle.Plan
	// PlanNode is the plan for a task on one machine.
	PlanNode func(site lifecycle.Site, state lifecycle.State, task lifecycle.NodeTask) lifecycle.Plan
	// Checkout writes what a fleet declared at a revision into a folder, and gives the revision's full name.
	Checkout func(fleet, revision, into string) (string, error)
	// PlanBackup is the plan that only takes a backup.
	PlanBackup func(site lifecycle.Site) lifecycle.Plan
	// PlanRestore is the plan that rebuilds the control plane from a backup; rejoin sets up every worker anew.
	PlanRestore func(site lifecycle.Site, state lifecycle.State, from lifecycle.Backup, rejoin bool) lifecycle.Plan
	// Connect makes ready to talk to a site's machines. Nothing is dialled yet.
	Connect func(site lifecycle.Site, opts connectOptions) (connection, error)
}

type connectOptions struct {
	Log *slog.Logger
	// StateDir is where kiban keeps its own files: downloaded binaries, backups, journals.
	StateDir string
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
	locker
	Close() error
}

// applyRun is one execution of a plan.
type applyRun struct {
	ID string
	// Who runs it, and Where: for the record.
	Who, Where string
	// Claim asks for the site's lock, where the verb does not hold it already.
	Claim apply.Claim

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
	log := slog.New(slog.DiscardHandler)
	if a.verbose {
		log = slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	opts.Log, opts.StateDir = log, stateDir(fleet)
	if opts.KeepBackup == nil {
		opts.KeepBackup = backups(site, fleet).Keep
	}
	return a.Connect(site, opts)
}
