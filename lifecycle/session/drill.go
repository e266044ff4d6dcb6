package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/drill"
	"kiban.dev/kiban/lifecycle/twin"
)

// DrillOptions are what is to be restored in a lab.
type DrillOptions struct {
	// Backup is a file, or the name of one that Backups shows; "" or "latest" is the newest that was verified.
	Backup string
	// Identity is the file with the private key that opens an encrypted backup.
	Identity string
	// Kiban is kiban's own version, which the lab's should be.
	Kiban, Revision string
}

// latest stands for the newest backup.
const latest = "latest"

// Drill restores one of the site's backups in a lab of its controllers, reads back what is in it, and records that it is proven, if it
// is:
// in the cluster, and beside the backup wherever that is kept. The error says why no backup could be chosen; that one is not proven, or
// that it is not known, is among the Findings. Of the site only the cluster's records are read, and written.
func (s *Session) Drill(ctx context.Context, opts DrillOptions) (d lifecycle.Drill, err error) {
	d = lifecycle.Drill{Format: lifecycle.DrillFormat, Site: s.site.Name, Began: time.Now()}
	defer func() { d.Took = time.Since(d.Began) }()
	room := twin.Room{Controllers: len(s.site.Cluster.Controllers()), Machines: len(s.site.Cluster.Controllers())}
	lab, plays, err := s.lab(ctx, opts)
	if err == nil {
		err = room.Check()
	}
	if err == nil && opts.Identity != "" {
		err = backup.CheckIdentity(opts.Identity)
	}
	switch {
	case ctx.Err() != nil:
		return d, lifecycle.WhyEnded(ctx)
	case err != nil:
		return d, unknown("a backup of "+s.site.Name, s.site.Name, err)
	}
	folder, err := os.MkdirTemp("", "kiban-drill-")
	if err != nil {
		return d, unknown("a backup of "+s.site.Name, s.site.Name, twin.NoRoom(os.TempDir(), err))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file, err := s.drilled(ctx, opts.Backup, folder, &d)
	switch {
	case errors.Is(err, backup.ErrUnread):
		return d, unknown("the backup", d.Backup, err)
	case err != nil:
		return d, err
	}
	err = room.Within(ctx, func(ctx context.Context) error { return s.drillFile(ctx, file, folder, lab, plays, opts, &d) },
		func() bool { return d.Proof != nil || d.Version.IsZero() }) // without a version it was refused before there was a lab
	if err == nil || ctx.Err() != nil {
		return d, err
	}
	d.Findings = unknown("the backup", d.Backup, err)
	return d, nil
}

// unknown says of what kept a drill from being made that nothing is known of the backup by it. It blocks, for nothing is wrong with what
// there is.
func unknown(what, subject string, err error) lifecycle.Diagnostics {
	var out lifecycle.Diagnostics
	for _, why := range lifecycle.AsDiagnostics(err, "the drill could not be made") {
		out = append(out, lifecycle.Blockedf(subject, "it is not known whether %s can be restored", what).Because(why.Error()).Try(why.Hint).
			Hiding(why))
	}
	return out
}

// drillFile drills a backup that is here. The error says why nothing is known of it.
func (s *Session) drillFile(ctx context.Context, file, folder, lab string, plays twin.LabVersion, opts DrillOptions, d *lifecycle.Drill,
) error {
	encryption, err := drill.EncryptionOf(s.site)
	if err != nil {
		return err
	}
	opens := []string{} // it has none
	if encryption != nil {
		opens = encryption.Keys
	}
	verified, err := backup.Verify(s.site, file, opts.Identity, s.backupRecords(ctx), opens, folder, time.Now())
	switch {
	case errors.Is(err, backup.ErrUnread):
		return err
	case err != nil:
		d.Findings = lifecycle.AsDiagnostics(err, "the backup can't be verified")
		return nil
	}
	d.Digest = verified.Digest
	in := drill.Input{Site: s.site, Backup: verified, Encryption: encryption, Plays: plays, Folder: folder,
		By: s.opts.Who + " on " + s.opts.Where}
	ways := drill.Ways{Say: s.opts.Hooks.note, Now: time.Now, Wait: aMoment,
		Start: func(ctx context.Context, folder string, machines []twin.Machine, releases []string) (twin.Place, func(), error) {
			l, err := twin.StartLab(ctx, lab, folder, machines, releases)
			if err != nil {
				return twin.Place{}, nil, err
			}
			return l.Place, l.Stop, nil
		},
		Open: func(ctx context.Context, fleet string) (drill.Cluster, error) {
			return s.openDrilled(ctx, fleet, verified.Source)
		},
	}
	defer sayEnding(ctx, func(text string) { s.opts.Hooks.note("%s", text) })()
	if err := drill.Run(ctx, in, ways, d); err != nil {
		return err
	}
	if d.Proof != nil {
		s.recordProof(ctx, d.Place, verified, d)
	}
	return nil
}

// lab finds the lab's program.
func (s *Session) lab(ctx context.Context, opts DrillOptions) (program string, plays twin.LabVersion, err error) {
	self, err := os.Executable()
	if err != nil {
		self = "" // then it is looked for elsewhere
	}
	getenv := s.opts.Getenv
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	if program, err = twin.FindLab(getenv, self); err != nil {
		return "", plays, err
	}
	if plays, err = twin.AskLab(ctx, program); err == nil && !plays.Agrees(opts.Kiban, opts.Revision) {
		s.opts.Hooks.warn(lifecycle.Warnf(program, "the lab is of another release than kiban").
			Because("It is " + plays.Version + ", and kiban " + opts.Kiban + ".").Try("Put kiban-lab of the same release beside kiban."))
	}
	return program, plays, err
}

// drilled finds the backup, and brings it here where it is elsewhere.
func (s *Session) drilled(ctx context.Context, which, folder string, d *lifecycle.Drill) (file string, err error) {
	store, err := s.shipped()
	if err != nil {
		return "", err
	}
	if which != "" && which != latest {
		if _, err := os.Stat(which); err == nil {
			d.Backup, d.Place = filepath.Base(which), filepath.Dir(which)
			if at, err := filepath.Abs(d.Place); err == nil {
				d.Place = at
			}
			if f, ok := backup.Parse(which); ok {
				d.Taken = f.Taken.UTC().Format(time.RFC3339)
			}
			return which, nil
		}
	}
	kept, ds := store.All(ctx)
	s.opts.Hooks.warn(ds...)
	i := slices.IndexFunc(kept, func(k lifecycle.KeptBackup) bool {
		return k.Verified != "" && (k.Name == which || which == "" || which == latest)
	})
	switch {
	case i < 0 && which != "" && which != latest:
		return "", lifecycle.Errorf(which, "there is no such backup").Try("Give a file, or a name that `kiban backup list " + s.site.Name + "` shows.")
	case i < 0 && ds.Err() != nil:
		return "", unknown("a backup of "+s.site.Name, s.site.Name, ds)
	case i < 0:
		return "", lifecycle.Errorf(s.site.Name, "there is no backup to drill").Try("Take one: kiban backup " + s.site.Name)
	}
	d.Backup, d.Place, d.Taken = kept[i].Name, kept[i].Place, kept[i].Taken
	if kept[i].Place == store.Dir {
		return filepath.Join(store.Dir, kept[i].Name), nil
	}
	store.Dir = filepath.Join(folder, "fetched")
	return store.Fetch(ctx, kept[i].Name)
}

// backupRecords are what the cluster keeps of its backups. A cluster that is gone tells nothing, and its backups are drilled all the
// same.
func (s *Session) backupRecords(ctx context.Context) []lifecycle.BackupRecord {
	if s.parts.Backups == nil {
		return nil
	}
	ctx, cancel := lifecycle.Within(ctx, recordLimit, "no answer")
	defer cancel()
	records, err := s.parts.Backups.BackupRecords(ctx)
	if err != nil {
		s.opts.Hooks.warn(lifecycle.Warnf(s.site.Name, "the cluster does not tell what it keeps of its backups").From(err).
			Because("What lies beside the backup has to do: " + lifecycle.OneLine(err.Error())).Try("kiban status " + s.site.Name))
	}
	return records
}

// recordProof puts the proof down wherever it is looked for. Where it cannot be is worth a warning: the backup is proven all the same.
func (s *Session) recordProof(ctx context.Context, folder string, v backup.Verified, d *lifecycle.Drill) {
	if s.parts.Backups != nil {
		bounded, cancel := lifecycle.Within(ctx, recordLimit, "no answer")
		err := s.parts.Backups.RecordBackup(bounded, lifecycle.BackupRecord{Format: lifecycle.ProofFormat, Name: d.Backup, Digest: d.Digest,
			Taken: d.Taken, Contents: v.Known.Contents, Proven: d.Proof})
		cancel()
		if err == nil {
			d.Recorded = append(d.Recorded, "the cluster")
		} else {
			d.Findings = append(d.Findings, unrecorded(s.site.Name, "the cluster", err))
		}
	}
	store, err := s.shipped()
	if err != nil {
		d.Findings = append(d.Findings, unrecorded(s.site.Name, "the places for backups", err))
	}
	folders := []string{store.Dir}
	if own, err := filepath.Abs(store.Dir); err == nil && filepath.IsAbs(folder) && folder != own {
		folders = append(folders, folder)
	}
	at, err := store.Prove(ctx, folders, *d.Proof)
	d.Recorded = append(d.Recorded, at...)
	if err != nil {
		d.Findings = append(d.Findings, unrecorded(s.site.Name, "a place that keeps the backup", err))
	}
}

func unrecorded(site, where string, err error) lifecycle.Diagnostic {
	return lifecycle.Warnf(site, "%s could not record that the backup is proven", where).From(err).
		Because(lifecycle.OneLine(err.Error())).Try("Make it reachable, and drill again: kiban drill " + site)
}

// aMoment passes between two looks at an API that has just come up.
func aMoment(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	case <-time.After(3 * time.Second):
		return nil
	}
}

// inLab is the site of a lab in which a backup is restored.
type inLab struct{ *Session }

// openDrilled opens the lab's site. It is nobody's but the drill's, so its files may lie anywhere.
func (s *Session) openDrilled(ctx context.Context, fleet string, source *backup.Source) (drill.Cluster, error) {
	site, ds := Load(ctx, fleet, s.site.Name, LoadOptions{LocalFiles: []string{"/"}})
	if err := ds.Err(); err != nil {
		return nil, err
	}
	opened, err := Open(site, Options{Fleet: fleet, Who: s.opts.Who, Where: s.opts.Where, Getenv: s.opts.Getenv, Log: s.opts.Log,
		Restore: source})
	if err != nil {
		return nil, err
	}
	return inLab{opened}, nil
}

func (l inLab) Restore(ctx context.Context) error {
	_, err := l.Session.Restore(ctx, false)
	return err
}

func (l inLab) ReadBack(ctx context.Context) (lifecycle.Contents, int, error) {
	return l.parts.Backups.ReadBack(ctx)
}

func (l inLab) Plan(ctx context.Context) (lifecycle.Plan, error) {
	return l.Session.Plan(ctx, lifecycle.PlanOptions{})
}
