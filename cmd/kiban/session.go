package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/user"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// open opens a site with the app's choices.
func (a *app) open(site lifecycle.Site, fleet string) (*session.Session, error) {
	return a.openWith(site, fleet, session.Options{})
}

// openWith is open for a verb that has choices of its own.
func (a *app) openWith(site lifecycle.Site, fleet string, opts session.Options) (*session.Session, error) {
	opts.Fleet, opts.Log, opts.Getenv = fleet, a.log(), a.Getenv
	opts.Who, opts.Where = a.operator()
	opts.InJob = a.inJob()
	opts.Hooks.Note = func(text string) { a.note("%s", text) }
	if opts.Hooks.Warn == nil {
		opts.Hooks.Warn = a.findings
	}
	opts.Hooks.Show = func(plan lifecycle.Plan) error { return a.announce(site, plan) }
	opts.Hooks.Watch = a.watchRun
	return a.OpenSite(site, opts)
}

// withSite opens a site, has something asked of it or done with it, and closes it again.
func (a *app) withSite(ctx context.Context, name string, opts session.Options, do func(*session.Session) error) (lifecycle.Site, error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return site, err
	}
	s, err := a.openWith(site, fleet, opts)
	if err != nil {
		return site, err
	}
	return site, errors.Join(do(s), s.Close())
}

// withMachines is withSite for a verb about a site's machines, which a site that someone else runs does not have.
func (a *app) withMachines(ctx context.Context, name string, opts session.Options, do func(*session.Session) error) (lifecycle.Site,
	error) {
	return a.withSite(ctx, name, opts, func(s *session.Session) error {
		if err := s.Site().HasMachines(); err != nil {
			return err
		}
		return do(s)
	})
}

// observeSite looks at what is there.
func (a *app) observeSite(ctx context.Context, name string, opts session.Options) (site lifecycle.Site, st lifecycle.State, err error) {
	site, err = a.withSite(ctx, name, opts, func(s *session.Session) (err error) {
		st, err = s.Observe(ctx)
		return err
	})
	return site, st, err
}

// asking is the only choice of a verb that asks before it changes a site.
func asking(confirm func(context.Context, lifecycle.Plan) error) session.Hooks {
	return session.Hooks{Confirm: confirm}
}

// operator says who runs kiban, and where: the pipeline's user and its job, or the user and the machine.
func (s Streams) operator() (who, where string) {
	if s.gitlab() {
		return cmp.Or(s.Getenv("GITLAB_USER_LOGIN"), s.Getenv("GITLAB_USER_NAME"), "gitlab"), s.Getenv("CI_JOB_URL")
	}
	who = cmp.Or(s.Getenv("USER"), s.Getenv("LOGNAME"))
	if u, err := user.Current(); err == nil && who == "" {
		who = u.Username
	}
	where, _ = os.Hostname() // not knowing it is no reason to do nothing
	return who, where
}

// log is where adapters say what they do: nowhere, unless the operator wants to see it.
func (a *app) log() *slog.Logger {
	if a.verbose {
		return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}
