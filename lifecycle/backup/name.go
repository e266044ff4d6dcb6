package backup

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// File is a backup as its name describes it.
type File struct {
	Path    string
	Site    string
	Version lifecycle.Version
	// Taken is when, in UTC, to the second.
	Taken     time.Time
	Encrypted bool
}

const timeForm = "20060102T150405Z"

// Name is the file name of a backup: <site>-<version>-<UTC time>.tar.gz, with .age behind it when it is encrypted.
func (f File) Name() string {
	name := fmt.Sprintf("%s-%s-%s.tar.gz", f.Site, f.Version, f.Taken.UTC().Format(timeForm))
	if f.Encrypted {
		name += ".age"
	}
	return name
}

var nameForm = regexp.MustCompile(`^(.+)-(v[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z]+\.[0-9]+)?\+k0s\.[0-9]+)-([0-9]{8}T[0-9]{6}Z)\.tar\.gz(\.age)?$`)

// Parse reads what a backup's name says. Not every backup has such a name: a file may be called as its owner likes.
func Parse(path string) (File, bool) {
	m := nameForm.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return File{}, false
	}
	v, errVersion := lifecycle.ParseVersion(m[2])
	taken, errTime := time.Parse(timeForm, m[3])
	if errVersion != nil || v.IsZero() || errTime != nil {
		return File{}, false
	}
	return File{Path: path, Site: m[1], Version: v, Taken: taken, Encrypted: m[4] != ""}, true
}

// Elsewhere reports whether what names a backup is the name of one that is none here, and so is to be fetched from where the site keeps
// its backups, and no file.
func Elsewhere(from string) bool {
	_, here := os.Stat(from)
	_, named := Parse(from)
	return here != nil && named && from == filepath.Base(from)
}

// List finds a site's backups in a folder, the newest first. A folder that is not there has none.
func List(dir, site string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []File
	for _, e := range entries {
		if f, ok := Parse(filepath.Join(dir, e.Name())); ok && f.Site == site && e.Type().IsRegular() {
			out = append(out, f)
		}
	}
	sortFiles(out)
	return out, nil
}

// sortFiles puts the newest first.
func sortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return cmp.Or(b.Taken.Compare(a.Taken), cmp.Compare(a.Path, b.Path)) })
}

// Expired picks the backups that a site no longer keeps, out of its backups from the newest to the oldest, all of them good. The newest
// always stays: an old backup is better than none. So does the way back from the last upgrade, however many were taken since.
func Expired(files []File, rules lifecycle.Backups, now time.Time) []File {
	back := wayBack(files, rules, now)
	var out []File
	for i, f := range files {
		tooMany := rules.Keep > 0 && i >= rules.Keep
		tooOld := rules.KeepFor > 0 && now.Sub(f.Taken) > rules.KeepFor
		if i > 0 && i != back && (tooMany || tooOld) {
			out = append(out, f)
		}
	}
	return out
}

// wayBack finds the newest backup of an older version than the newest one's; -1: there is none. A run that is carried on after its first
// controller has changed takes another backup, which leads back to the new version only: it must not push this one out. It is needed for as
// long as backups are kept, counted from the first backup at the new version.
func wayBack(files []File, rules lifecycle.Backups, now time.Time) int {
	for i, f := range files {
		if !f.Version.Less(files[0].Version) {
			continue
		}
		if since := now.Sub(files[i-1].Taken); rules.KeepFor > 0 && since > rules.KeepFor {
			return -1
		}
		return i
	}
	return -1
}
