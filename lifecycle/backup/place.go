package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Place is where backups outlive the machine that runs kiban. A file that is there is whole.
type Place interface {
	// Put stores a file of that size under a name, in the place of one that has it.
	Put(ctx context.Context, name string, content io.Reader, size int64) error
	// Open reads a file; fs.ErrNotExist is behind the error when it is not there.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	List(ctx context.Context) ([]lifecycle.StoredFile, error)
	// Remove removes a file. One that is not there is removed already.
	Remove(ctx context.Context, name string) error
	// String names the place for people.
	String() string
}

// ship copies a backup to a place, and reads it back from there: what is written and cannot be read is no backup.
func (s Store) ship(ctx context.Context, p Place, f File, n note, progress func(string)) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	progress(fmt.Sprintf("copying the backup to %s (%d kB)", p, (n.Size+1023)/1024))
	if err := p.Put(ctx, f.Name(), file, n.Size); err != nil {
		return err
	}
	if err := readBack(ctx, p, f.Name(), n.SHA256); err != nil {
		return err
	}
	n.Verified = s.now().UTC().Format(time.RFC3339)
	if err := putNote(ctx, p, f.Name(), n); err != nil {
		return err
	}
	progress(fmt.Sprintf("%s has the backup, and gave it back unaltered", p))
	return nil
}

// readBack compares what a place gives with what it was given. What differs does not stay.
func readBack(ctx context.Context, p Place, name, want string) error {
	r, err := p.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return lifecycle.Errorf(p.String(), "the backup that was read back is not the one that was written").
			Because(fmt.Sprintf("Its checksum is sha256:%s there, and should be sha256:%s.", got, want)).
			Try("Nothing was changed on the site. Look at that storage; then run the same command again.").
			From(p.Remove(ctx, name))
	}
	return nil
}

// tidyPlace removes the backups that the site no longer keeps there. What cannot be removed is kept, which harms nobody: many places are
// set up to let nothing go.
func (s Store) tidyPlace(ctx context.Context, p Place) error {
	all, err := s.kept(ctx, p)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range Expired(all, s.Rules, s.now()) {
		errs = append(errs, p.Remove(ctx, noteOf(f.Name())), p.Remove(ctx, f.Name()))
	}
	return errors.Join(errs...)
}

// kept are the site's backups in a place, the newest first. Those that were never verified are not among them: they count as none.
func (s Store) kept(ctx context.Context, p Place) ([]File, error) {
	files, err := p.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, f := range files {
		b, ok := Parse(f.Name)
		noted := slices.ContainsFunc(files, func(n lifecycle.StoredFile) bool { return n.Name == noteOf(f.Name) })
		if ok && b.Site == s.Site && noted {
			out = append(out, b)
		}
	}
	sortFiles(out)
	return out, nil
}

// All are the site's backups wherever it keeps them, the newest first. A place that cannot be asked is a finding; the others are told all
// the same.
func (s Store) All(ctx context.Context) ([]lifecycle.KeptBackup, lifecycle.Diagnostics) {
	var out []lifecycle.KeptBackup
	var ds lifecycle.Diagnostics
	here, err := List(s.Dir, s.Site)
	if err != nil {
		ds = append(ds, lifecycle.AsDiagnostics(err, "the backups in "+s.Dir+" cannot be listed")...)
	}
	for _, f := range here {
		out = append(out, f.Kept())
	}
	for _, p := range s.Places {
		there, err := s.told(ctx, p)
		if err != nil {
			ds = append(ds, lifecycle.AsDiagnostics(err, "what is kept in "+p.String()+" cannot be listed")...)
		}
		out = append(out, there...)
	}
	slices.SortStableFunc(out, func(a, b lifecycle.KeptBackup) int { return strings.Compare(b.Taken, a.Taken) })
	return out, ds
}

func (f File) kept(place string) lifecycle.KeptBackup {
	return lifecycle.KeptBackup{Name: f.Name(), Place: place, Version: f.Version, Taken: f.Taken.UTC().Format(time.RFC3339),
		Encrypted: f.Encrypted}
}

// told are the site's backups in a place, with what their notes say.
func (s Store) told(ctx context.Context, p Place) ([]lifecycle.KeptBackup, error) {
	files, err := p.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []lifecycle.KeptBackup
	for _, stored := range files {
		f, ok := Parse(stored.Name)
		if !ok || f.Site != s.Site {
			continue
		}
		k := f.kept(p.String())
		k.Size = stored.Size
		n, err := readNote(ctx, p, stored.Name)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return out, err
		case err == nil && n.Size == stored.Size:
			n.tell(&k)
		}
		out = append(out, k)
	}
	return out, nil
}

// Fresh is the name of the newest backup, where each place has a verified one that is no older than that; else "".
func (s Store) Fresh(ctx context.Context, age time.Duration) (string, error) {
	newest := ""
	for _, p := range s.Places {
		kept, err := s.kept(ctx, p)
		if err != nil {
			return "", err
		}
		if len(kept) == 0 || s.now().Sub(kept[0].Taken) > age {
			return "", nil
		}
		newest = max(newest, kept[0].Name())
	}
	return newest, nil
}

// Fetch brings a backup of that name from the first place that has it, and gives its file. It is what was verified there, or it is
// refused.
// Behind the error of a place that could not be asked is ErrUnread.
func (s Store) Fetch(ctx context.Context, name string) (string, error) {
	path := filepath.Join(s.Dir, name)
	f, ok := Parse(name)
	if !ok || name != filepath.Base(name) {
		return "", lifecycle.Errorf(name, "there is no such backup").
			Try("Give a file, or a name that `kiban backup list " + s.Site + "` shows.")
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	var errs []error
	for _, p := range s.Places {
		err := s.fetchFrom(ctx, p, f, path)
		if err == nil {
			return path, nil
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errAltered):
			errs = append(errs, err)
		default:
			errs = append(errs, unreadError{err})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return "", lifecycle.Errorf(name, "no place has this backup").Try("`kiban backup list " + s.Site + "` shows those there are.")
}

func (s Store) fetchFrom(ctx context.Context, p Place, f File, path string) error {
	n, err := readNote(ctx, p, f.Name())
	if err != nil {
		return err
	}
	r, err := p.Open(ctx, f.Name())
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	err = fill(path, func(file *os.File) error {
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(file, sum), r); err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != n.SHA256 {
			return lifecycle.Errorf(p.String(), "the backup %s is not what it was when it was written there", f.Name()).
				Because(fmt.Sprintf("Its checksum is sha256:%s, and was sha256:%s.", got, n.SHA256)).
				Try("Take another: `kiban backup list " + s.Site + "` shows those there are.").Hiding(errAltered)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return n.writeBeside(path)
}
