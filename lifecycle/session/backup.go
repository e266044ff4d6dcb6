package session

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
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

// keepBackups keeps what a run's steps back up wherever the site says. One that may be behind is no way back, and pushes out none that is.
func (s *Session) keepBackups(run string) lifecycle.KeepBackup {
	return func(ctx context.Context, of lifecycle.ToKeep, take func(io.Writer) error, progress func(string)) (string, error) {
		if of.Behind != nil {
			return "", notBehind(*of.Behind, s.site.Name)
		}
		return s.keep(ctx, run, of, take, progress)
	}
}

func (s *Session) keep(
	ctx context.Context, run string, of lifecycle.ToKeep, take func(io.Writer) error, progress func(string),
) (string, error) {
	store, err := s.shipped()
	if err != nil {
		return "", err
	}
	store.Run = run
	s.counted(&store)
	return store.Keep(ctx, of.Version, take, progress)
}

// notBehind refuses a backup that may be behind where nobody is there to judge it.
func notBehind(d lifecycle.Diagnostic, site string) lifecycle.Diagnostic {
	d.Severity = lifecycle.SeverityBlocked
	d.Summary = fmt.Sprintf("no backup was taken: %s", strings.Replace(d.Summary, "so the backup may", "so it might", 1))
	d.Hint = fmt.Sprintf("kiban status %s says how the controllers are. To save what there is, by hand: kiban backup %[1]s", site)
	return d
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
	return s.backup(ctx, out, func(behind lifecycle.Diagnostic) error {
		s.opts.Hooks.warn(behind) // it may be all that is left
		return nil
	})
}

// backup is Backup; the error of doubt ends it where the backup may be behind.
func (s *Session) backup(ctx context.Context, out string, doubt func(behind lifecycle.Diagnostic) error) (file string, err error) {
	g := goal{doing: "backup", plan: func(lifecycle.State) lifecycle.Plan { return s.parts.Plans.Backup(s.site) }, blind: true}
	g.keepBackup = func(run string) lifecycle.KeepBackup {
		return func(ctx context.Context, of lifecycle.ToKeep, take func(io.Writer) error, progress func(string)) (_ string, err error) {
			if of.Behind != nil {
				if err := doubt(*of.Behind); err != nil {
					return "", err
				}
			}
			if out != "" {
				store := s.backups()
				store.Out = out
				s.counted(&store)
				file, err = store.Keep(ctx, of.Version, take, progress)
				return file, err
			}
			file, err = s.keep(ctx, run, of, take, progress)
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
			Try("Name one in spec.backup.to of the Site: s3, sftp, oci, or a folder that is mounted. `kiban explain docs/backup.md` says how.")
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
	file, err = s.backup(ctx, "", func(behind lifecycle.Diagnostic) error { return notBehind(behind, s.site.Name) })
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
