package session

import (
	"cmp"
	"context"
	"sync"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/site"
)

// LoadOptions say what need not be in order yet.
type LoadOptions struct {
	// UnknownHosts: the machines' host keys need not be known, because they are about to be fetched. Whom backups are encrypted to, and what
	// API servers make of files, is not checked then either.
	UnknownHosts bool
	// KnownHostsLater: a missing known_hosts file is told of the machines, when they are asked.
	KnownHostsLater bool
	// Unpinned: the lock file need not match, because it is about to be written.
	Unpinned bool
	// AddressesAsked: the machines were asked by which addresses they are called, and the document says what they answered.
	AddressesAsked bool
	// LocalFiles are places on this machine that the site may take files from, beside those that the fleet's owners name: of a document that
	// whoever runs kiban names himself, all ("/").
	LocalFiles []string
	// Beside is the fleet that an earlier revision was read from: what git does not hold, such as keys, is its own.
	Beside string
	// Uncommitted: by which commit the site is declared is not asked, for that costs as much as the fleet has files.
	Uncommitted bool
	// Look, of a verb that reads many sites, has git asked once for all of them. Nil: it is asked for each.
	Look *Look
}

// Look is what was asked once for all sites of a fleet: what git says of it, and what an API server makes of files that they share. It
// serves one verb, and none that changes the repository.
type Look struct {
	git   git.Look
	files sync.Map // of a file for API servers, by flag and content, what gives the error
}

// serverFile is kube.CheckServerFile, which is asked of each content once.
func (l *Look) serverFile(flag string, content []byte) error {
	once := sync.OnceValue(func() error { return kube.CheckServerFile(flag, content) })
	judge, _ := l.files.LoadOrStore(flag+"\n"+string(content), once)
	return judge.(func() error)()
}

// Load reads what a fleet declares of a site, and checks it. Findings that are errors make the site unfit to be opened.
func Load(ctx context.Context, fleet, name string, opts LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
	look := cmp.Or(opts.Look, new(Look))
	o := site.Options{Describe: k0s.Describe, Fields: k0s.Fields, Tracked: look.git.Tracked, UnknownHosts: opts.UnknownHosts,
		KnownHostsLater: opts.KnownHostsLater, Unpinned: opts.Unpinned, AddressesAsked: opts.AddressesAsked,
		LocalFiles: opts.LocalFiles, Beside: opts.Beside, FindingNames: findingNames, Risks: riskMistakes}
	if !opts.UnknownHosts {
		o.Recipient, o.ServerFile, o.Revision = backup.CheckRecipient, look.serverFile, look.git.Revision
	}
	if opts.Uncommitted {
		o.Revision = nil
	}
	return site.Load(ctx, fleet, name, o)
}

// Revision is the commit that is checked out around a folder, with "-dirty" behind it where the work tree is another; "" where none is.
func (l *Look) Revision(dir string) string { return l.git.Revision(dir) }
