package session

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/depot"
)

// backups is where a site's backups are kept on this machine.
func (s *Session) backups() backup.Store {
	return backup.Store{Site: s.site.Name, Dir: filepath.Join(StateDir(s.opts.Fleet), "backups", s.site.Name), Rules: s.site.Backup,
		Warn: func(d lifecycle.Diagnostic) { s.opts.Hooks.warn(d) }}
}

// shipped is backups, and the places that the site declares for them.
func (s *Session) shipped() (backup.Store, error) {
	store := s.backups()
	env := secrets{site: s.site, getenv: s.opts.Getenv}
	for _, to := range s.site.Backup.To {
		d, err := depot.Open(to, depot.Options{Secret: env.Find, KnownHosts: s.site.SSH.KnownHosts, Agent: env.env("SSH_AUTH_SOCK")})
		if err != nil {
			return store, err
		}
		store.Places = append(store.Places, d)
	}
	return store, nil
}

// keepBackups keeps what a run's steps back up wherever the site says.
func (s *Session) keepBackups(run string) lifecycle.KeepBackup {
	return func(ctx context.Context, v lifecycle.Version, take func(io.Writer) error, progress func(string)) (string, error) {
		store, err := s.shipped()
		if err != nil {
			return "", err
		}
		store.Run = run
		return store.Keep(ctx, v, take, progress)
	}
}

// Backups are those of the site wherever it keeps them, the newest first. Places that cannot be asked are findings.
func (s *Session) Backups(ctx context.Context) ([]lifecycle.KeptBackup, lifecycle.Diagnostics) {
	store, err := s.shipped()
	kept, ds := store.All(ctx)
	if err != nil {
		ds = append(ds, lifecycle.AsDiagnostics(err, "the places for backups cannot be used")...)
	}
	return kept, ds
}

// Backup takes a backup of the control plane, which changes nothing on the site, and gives its file. out is a file or a folder to put it
// in; "" keeps it wherever the site says.
func (s *Session) Backup(ctx context.Context, out string) (file string, err error) {
	g := goal{doing: "backup", plan: func(lifecycle.State) lifecycle.Plan { return s.parts.Plans.Backup(s.site) }, blind: true}
	g.keepBackup = func(run string) lifecycle.KeepBackup {
		return func(ctx context.Context, v lifecycle.Version, take func(io.Writer) error, progress func(string)) (_ string, err error) {
			keep := s.keepBackups(run)
			if out != "" {
				store := s.backups()
				store.Out = out
				keep = store.Keep
			}
			file, err = keep(ctx, v, take, progress)
			return file, err
		}
	}
	_, err = s.converge(ctx, g)
	return file, err
}

// freshFor is how long a backup counts as the one that a schedule wants: a job that is retried takes no second one.
const freshFor = time.Hour

// ScheduledBackup is Backup for a schedule: it goes to where it outlives the job, or is an error. Where each place has a verified one that
// is younger than an hour, none is taken, and fresh is the name of the newest.
func (s *Session) ScheduledBackup(ctx context.Context) (file, fresh string, err error) {
	if len(s.site.Backup.To) == 0 {
		return "", "", lifecycle.Errorf(s.site.Name, "a scheduled backup has nowhere to go").
			Because("The Site names no place for backups, and what lies in .kiban does not outlive a job.").
			Try("Name one in spec.backup.to of the Site: s3, sftp, oci, or a folder that is mounted (docs/backup.md).")
	}
	if s.site.Production() && len(s.site.Backup.Recipients) == 0 {
		return "", "", lifecycle.Errorf(s.site.Name, "a scheduled backup of production is to be encrypted").
			Try("Name age public keys in spec.backup.recipients of the Site.")
	}
	store, err := s.shipped()
	if err != nil {
		return "", "", err
	}
	if fresh, err = store.Fresh(ctx, freshFor); err != nil || fresh != "" {
		return "", fresh, err
	}
	file, err = s.Backup(ctx, "")
	return file, "", err
}

// FetchBackup brings a backup here from the first of the site's places that has it, and gives its file.
func (s *Session) FetchBackup(ctx context.Context, name string) (string, error) {
	store, err := s.shipped()
	if err != nil {
		return "", err
	}
	return store.Fetch(ctx, name)
}

// Restore rebuilds the control plane from the backup that the session was opened with (Options.Restore). rejoin sets every worker up anew,
// also those that could go on.
func (s *Session) Restore(ctx context.Context, rejoin bool) (Result, error) {
	source := s.opts.Restore
	if source == nil {
		return Result{}, lifecycle.Errorf(s.site.Name, "there is no backup to restore from")
	}
	from := lifecycle.Backup{Name: filepath.Base(source.Path), Site: source.Site, Version: source.Version, Digest: source.Digest}
	return s.converge(ctx, goal{
		doing: "restore from " + from.Name,
		plan:  func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Restore(s.site, seen, from, rejoin) },
	})
}
