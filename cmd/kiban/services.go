package main

import (
	"context"
	"log/slog"
	"time"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

// services are what verbs work with. wire.go builds the real ones; tests of verbs bring others.
type services struct {
	FindFleet  func(start string) (string, error)
	ListSites  func(fleet string) ([]string, error)
	RenderSite func(ctx context.Context, fleet, name string) ([]byte, lifecycle.Diagnostics)
	LoadSite   func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics)
	// Describe reads a k0sctl document by itself, without a merge.
	Describe func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics)
	// OpenStore makes ready to get charts and manifests. Nothing is fetched yet.
	OpenStore func(opts storeOptions) supply.Charts
	// Binaries are the builds of k0s.
	Binaries supply.Binaries
	// HostKeys asks the machines for their host keys; TrustHosts puts keys into a known_hosts file.
	HostKeys   func(ctx context.Context, site lifecycle.Site) (lifecycle.HostKeys, error)
	TrustHosts func(file string, keys []lifecycle.HostKey) error
	// StockDocument is a site's Cluster document as the stock k0sctl takes it.
	StockDocument func(site lifecycle.Site) ([]byte, error)
	// SSHArguments are what the program ssh is called with to reach a machine as kiban does. RunProgram runs a program at the terminal, and
	// gives its exit code.
	SSHArguments func(site lifecycle.Site, host string) ([]string, error)
	RunProgram   func(ctx context.Context, name string, args []string) (int, error)
	// CheckFleet holds sites against each other, by what Compared leaves of them.
	CheckFleet func(sites []lifecycle.Site) lifecycle.Diagnostics
	Compared   func(lifecycle.Site) lifecycle.Site
	// Checkout writes what a fleet declared at a revision into a folder, and gives the revision's full name.
	Checkout func(fleet, revision, into string) (string, error)
	// Committed is when commits of a fleet's repository were made, by their full names; it has nothing of those that are not there.
	Committed func(fleet string, revisions []string) (map[string]time.Time, error)
	// OpenFleet opens the repository of a fleet, and gives what reads a revision of it. Blob is what git calls a content; IsSite reports
	// whether a folder of overlays/ that has files of these names is a site.
	OpenFleet func(fleet string) (at func(revision string) (fleets.Snapshot, error), err error)
	Blob      func(content []byte) string
	IsSite    func(files []string) bool
	// Unkept are the files below a folder that git could not give back as they are, and how many it gives back, as it has them.
	Unkept func(folder string) (lost []string, has int, err error)
	// SiteInputs are the digests of the repository's files that a site's addons read, by how its documents name them.
	SiteInputs func(site lifecycle.Site) (map[string]string, error)
	// SiteReads are the files and folders of a fleet that decide what a site declares; false when only building it would tell.
	SiteReads func(fleet, name string) ([]string, bool)
	// GroupsDir is the folder of a fleet that decides of which groups a site is.
	GroupsDir string
	// SiteGroups says of which groups a site is, and ListGroups writes that into its overlay.
	SiteGroups func(ctx context.Context, fleet, name string) (lifecycle.Membership, lifecycle.Diagnostics)
	ListGroups func(fleet string, of lifecycle.Membership) error
	// Problems picks out of a state what an operator should know.
	Problems func(site lifecycle.Site, state lifecycle.State) lifecycle.Diagnostics
	// ReadFleet reads what the fleet's root allows all sites.
	ReadFleet func(fleet string) (lifecycle.Fleet, lifecycle.Diagnostics)
	// ChildPipelines writes a pipeline in the words of GitLab, with its parts where it is too large for one.
	ChildPipelines func(lifecycle.Pipeline) (first string, parts []lifecycle.PipelinePart, err error)
	// OpenForge makes ready to speak to the server that keeps the repository. Nothing is asked yet.
	OpenForge func(server lifecycle.ForgeServer, log *slog.Logger) (forge.Forge, error)
	// OpenParts makes ready to read what the parts of a pipeline left there.
	OpenParts func(server lifecycle.ForgeServer, log *slog.Logger) (forge.Parts, error)
	// SendWebhook posts a text, in Slack's form, to an address that is a secret.
	SendWebhook forge.Post
	// OpenTraces makes ready to deliver a run's traces; nil where the environment names no collector. Nothing is dialled yet.
	OpenTraces func(ctx context.Context, getenv func(string) string) (runTraces, error)
	// OpenSite makes ready to talk to a site's machines. Nothing is dialled yet.
	OpenSite func(site lifecycle.Site, opts session.Options) (*session.Session, error)
}
