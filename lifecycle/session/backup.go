package session

import (
	"context"
	"io"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
)

// backups is where a site's backups are kept.
func (s *Session) backups() backup.Store {
	return backup.Store{Site: s.site.Name, Dir: filepath.Join(StateDir(s.opts.Fleet), "backups", s.site.Name), Rules: s.site.Backup}
}

// Backup takes a backup of the control plane, which changes nothing on the site, and gives its file. out is a file or a folder to put it
// in; "" keeps it with the site's others.
func (s *Session) Backup(ctx context.Context, out string) (file string, err error) {
	store := s.backups()
	store.Out = out
	_, err = s.converge(ctx, goal{
		doing: "backup",
		plan:  func(lifecycle.State) lifecycle.Plan { return s.parts.Plans.Backup(s.site) },
		blind: true,
		keepBackup: func(v lifecycle.Version, take func(io.Writer) error) (_ string, err error) {
			file, err = store.Keep(v, take)
			return file, err
		},
	})
	return file, err
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
