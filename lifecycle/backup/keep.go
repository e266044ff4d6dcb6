package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// Store is where one site's backups are kept, and how.
type Store struct {
	Site  string
	Dir   string
	Rules lifecycle.Backups
	// Out puts the backup in this file, or in this folder, instead of Dir and of Places; retention then leaves it alone.
	Out string
	// Places are where each backup goes beside Dir. It is kept when all of them have it.
	Places []Place
	// Run is the run that takes the backup, for the record; "" outside of one.
	Run string
	// Count counts what the cluster has, before a backup is taken and after it. Nil: nobody counts.
	Count func(context.Context) lifecycle.Contents
	// Record has the cluster keep what is known of a backup that is whole here. Nil: it keeps nothing.
	Record func(context.Context, lifecycle.BackupRecord) error
	// Warn tells of what went wrong and makes the backup none the worse. Nil: nobody is told.
	Warn func(lifecycle.Diagnostic)
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Unencrypted warns that the site's backups are not encrypted; nil when they are.
func (s Store) Unencrypted() *lifecycle.Diagnostic {
	if len(s.Rules.Recipients) > 0 {
		return nil
	}
	return new(lifecycle.Warnf(s.Site, "the backup is not encrypted").
		Because("It holds the keys of the cluster's CA and every Secret: whoever has the file has the cluster. It is readable by you only.").
		Try("Name age recipients in spec.backup.recipients of the Site; `age-keygen -o key.txt` makes a key pair."))
}

// Keep takes a backup. take writes it, as k0s streams it, and is called once; nothing of it reaches the disk unencrypted when there are
// recipients. A file that has a backup's name is whole: what was streamed is an archive with data and keys in it, and what is on the
// disk was read again and is just that. Then each place gets it, and must give it back unaltered. Then older backups go, as the site's
// rules say. With an error the file may be here all the same; the backup does not count.
func (s Store) Keep(ctx context.Context, version lifecycle.Version, take func(io.Writer) error, progress func(string)) (string, error) {
	f, err := s.name(version)
	if err != nil {
		return "", err
	}
	had := s.count(ctx)
	digest, err := write(f.Path, s.Rules.Recipients, take)
	if err != nil {
		return "", err
	}
	if had.Why == "" {
		had = had.And(s.count(ctx))
	}
	n, err := s.note(f.Path, digest, had)
	if err == nil {
		err = n.writeBeside(f.Path)
	}
	if err != nil {
		return f.Path, err
	}
	s.record(ctx, f, n)
	if s.Out != "" {
		return f.Path, nil
	}
	if progress == nil {
		progress = func(string) {}
	}
	for _, p := range s.Places {
		if err := s.ship(ctx, p, f, n, progress); err != nil {
			return f.Path, err
		}
	}
	for _, p := range s.Places {
		if err := s.tidyPlace(ctx, p); err != nil {
			s.warn(lifecycle.Warnf(p.String(), "older backups could not be removed").From(err).
				Try("Let the credentials remove, or leave it to the place's own rules and set spec.backup.keep and keepFor to 0."))
		}
	}
	return f.Path, s.tidy()
}

// count is what the cluster has now, as far as anybody counts.
func (s Store) count(ctx context.Context) lifecycle.Contents {
	if s.Count == nil {
		return lifecycle.Contents{Why: "nobody counted"}
	}
	return s.Count(ctx)
}

func (s Store) record(ctx context.Context, f File, n note) {
	if s.Record == nil {
		return
	}
	if err := s.Record(ctx, n.record(filepath.Base(f.Path), f.Taken)); err != nil {
		s.warn(lifecycle.Warnf(s.Site, "the cluster could not keep what is known of the backup").From(err).
			Try("What lies beside the backup says it, too."))
	}
}

func (s Store) warn(d lifecycle.Diagnostic) {
	if s.Warn != nil {
		s.Warn(d)
	}
}

// name finds the new backup's place: its own name, in a second that no other backup has.
func (s Store) name(version lifecycle.Version) (File, error) {
	f := File{Site: s.Site, Version: version, Taken: s.now().UTC().Truncate(time.Second), Encrypted: len(s.Rules.Recipients) > 0}
	dir := s.Dir
	if strings.HasSuffix(s.Out, "/") {
		if err := os.MkdirAll(s.Out, 0o700); err != nil {
			return f, lifecycle.Errorf(s.Out, "the folder can't be made").From(err).Try("Name one that may be written to.")
		}
	} else if _, err := os.Stat(filepath.Dir(s.Out)); s.Out != "" && err != nil {
		return f, lifecycle.Errorf(s.Out, "there is no folder %s", filepath.Dir(s.Out)).
			Because("A backup that is named like this is that very file.").
			Try("Make the folder, or name a folder for the backup, which is made: --out " + s.Out + "/")
	}
	if st, err := os.Stat(s.Out); err == nil && st.IsDir() {
		dir = s.Out
	} else if s.Out != "" {
		f.Path = s.Out
		if err == nil {
			return f, taken(s.Out)
		}
		return f, nil
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return f, err
	}
	for ; ; f.Taken = f.Taken.Add(time.Second) {
		f.Path = filepath.Join(dir, f.Name())
		if _, err := os.Lstat(f.Path); errors.Is(err, fs.ErrNotExist) {
			return f, nil
		} else if err != nil {
			return f, err
		}
	}
}

func (s Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func taken(path string) error {
	return lifecycle.Errorf(path, "the file is there already").Try("Name another file, or a folder: backups overwrite nothing.")
}

// write makes the file at once or not at all, and gives the digest of the archive in it.
func write(path string, recipients []string, take func(io.Writer) error) (digest string, err error) {
	sum := sha256.New()
	err = fill(path, func(f *os.File) error {
		sealed, err := newSeal(f, recipients)
		if err != nil {
			return err
		}
		seen := inspect()
		err = take(io.MultiWriter(sealed, sum, seen))
		found := seen.verdict(err)
		if err != nil {
			return err
		}
		if found != nil {
			return unreadable(path, "what k0s wrote is not a backup", found)
		}
		if err := errors.Join(sealed.Close(), f.Sync()); err != nil {
			return err
		}
		if err := readAgain(f, sealed, sum); err != nil {
			return unreadable(path, "what is on the disk is not what was written", err)
		}
		return nil
	})
	return lifecycle.DigestOf(sum), err
}

// fill makes a backup's file, which only its owner reads.
func fill(path string, content func(*os.File) error) error {
	return atomicfile.Fill(path, 0o600, content)
}

// readAgain compares what is in the file with what went into it.
func readAgain(f *os.File, sealed seal, wrote hash.Hash) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := sealed.open(f)
	if err != nil {
		return err
	}
	read := sha256.New()
	if _, err := io.Copy(read, r); err != nil {
		return err
	}
	if string(read.Sum(nil)) != string(wrote.Sum(nil)) {
		return errors.New("the checksums differ")
	}
	return nil
}

func unreadable(path, summary string, err error) error {
	return lifecycle.Errorf(filepath.Base(path), "the backup cannot be read back: %s", summary).
		Try("Nothing was kept and nothing was changed. Try again; " +
			"if it fails again, look at what `k0s backup` says on the controller, and at this machine's disk.").
		From(err)
}

// tidy removes the backups that the site no longer keeps.
func (s Store) tidy() error {
	all, err := List(s.Dir, s.Site)
	if err != nil {
		return fmt.Errorf("find old backups: %w", err)
	}
	errs := []error{atomicfile.Sweep(s.Dir, s.now())} // half backups of runs that were killed
	for _, f := range Expired(all, s.Rules, s.now()) {
		errs = append(errs, os.Remove(f.Path), removed(os.Remove(noteOf(f.Path))))
	}
	return errors.Join(errs...)
}
