package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	fileEnding = ".json"
	// MaxCollected is how many bytes a file of a collect may have: a site of a thousand machines has about a quarter of a million.
	MaxCollected = 8 << 20
	// clockSkew is how far the clocks of two machines may be apart. What is from later than that is not believed.
	clockSkew = 5 * time.Minute
)

// siteForm is what a site's name can be, as a file's.
var siteForm = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._]*$`)

// names reports whether a site can have a file by its name: file systems take 255 bytes.
func names(site string) bool { return siteForm.MatchString(site) && len(site)+len(fileEnding) <= 255 }

// ReadCollected reads what collects have left in a folder, sorted by site. A file that can't be used is a warning, and the others are
// read: one that is damaged, cut off, too large, no regular file, of another version of the format, of another site than its name says,
// or from a time that is still to come. The error is that of the folder, fs.ErrNotExist where there is none.
func ReadCollected(dir string, now time.Time) ([]Collected, lifecycle.Diagnostics, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, lifecycle.Errorf(dir, "there is nothing that was collected").From(err).Try("kiban fleet collect --out " + dir)
	}
	read, failed := make([]Collected, len(entries)), make([]error, len(entries))
	_ = AtOnce(context.Background(), len(entries), runtime.GOMAXPROCS(0), func(i int) { // nothing interrupts it
		if name := entries[i].Name(); !strings.HasPrefix(name, ".") { // one that is under way
			read[i], failed[i] = readOne(dir, name, now)
		}
	})
	var out []Collected
	var found lifecycle.Diagnostics
	for i, c := range read {
		switch {
		case failed[i] != nil:
			found = append(found, asWarning(failed[i]))
		case c.Site != "":
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Collected) int { return strings.Compare(a.Site, b.Site) })
	return out, found, nil
}

// readOne reads one file. The error says what is wrong with it, fs.ErrNotExist where there is none.
func readOne(dir, name string, now time.Time) (Collected, error) {
	path := filepath.Join(dir, name)
	site, is := strings.CutSuffix(name, fileEnding)
	if !is || !names(site) {
		return Collected{}, lifecycle.Errorf(path, "this is no file of a collect: its name is not SITE.json").
			Try("Keep other files elsewhere.")
	}
	content, err := readBounded(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return Collected{}, err
	}
	if err != nil {
		return Collected{}, unusable(path, err.Error())
	}
	return parseCollected(path, site, content, now)
}

// readBounded reads a regular file of a folder that is not too large. It follows no link out of the folder.
func readBounded(dir, name string) (_ []byte, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	st, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case st.Size() > MaxCollected:
		return nil, fmt.Errorf("it has %d bytes, and %d are the most", st.Size(), MaxCollected)
	case st.Size() == 0:
		return nil, errors.New("it is empty")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, MaxCollected))
}

func unusable(place, why string) error {
	return lifecycle.Errorf(place, "what was collected of a site can't be used").Because(why).
		Try("Collect anew: kiban fleet collect. Until then nothing counts as known of it.")
}

// parseCollected makes what a file says into what is believed of it.
func parseCollected(path, site string, content []byte, now time.Time) (Collected, error) {
	var c Collected
	err := json.Unmarshal(content, &c)
	if other := otherFormat(content, c); other != "" {
		return Collected{}, unusable(path, other)
	}
	switch {
	case err != nil:
		return Collected{}, unusable(at(path, content, err), err.Error())
	case c.Site != site:
		return Collected{}, unusable(path, fmt.Sprintf("it is of the site %q", c.Site))
	case c.Asked.IsZero():
		return Collected{}, unusable(path, "it does not say when the site was asked")
	case c.Asked.Sub(now) > clockSkew:
		return Collected{}, unusable(path, "the site was asked at "+lifecycle.Stamp(c.Asked)+
			", which is still to come: a clock is wrong, here or where it was asked")
	}
	for _, p := range c.parts() {
		switch when, unknown := p.learnt(); {
		case when.After(c.Asked):
			return Collected{}, unusable(path, p.name+" is from "+lifecycle.Stamp(when)+", which is later than the question")
		case unknown != "":
		case when.IsZero():
			p.unknown("kiban " + c.By + ", which asked, does not keep it")
		case when.Before(c.Asked):
			p.unknown("it was not learnt when the site was asked last")
		}
	}
	return c, nil
}

// otherFormat says that a file is of another format than this kiban reads; "" where it is of this one, as far as it can be read at all.
func otherFormat(content []byte, read Collected) string {
	head := struct{ APIVersion, Kind string }{read.APIVersion, read.Kind}
	if head.APIVersion == CollectedVersion && head.Kind == CollectedKind {
		return ""
	}
	_ = json.Unmarshal(content, &head) // what can be read of it, where a field of another version means something else
	switch {
	case !json.Valid(content):
		return ""
	case head.Kind != CollectedKind:
		return fmt.Sprintf("its kind is %q, not %s", head.Kind, CollectedKind)
	case head.APIVersion != CollectedVersion:
		return fmt.Sprintf("another version of kiban wrote it: its apiVersion is %q, and this one reads %s", head.APIVersion, CollectedVersion)
	}
	return ""
}

// at is a file with the line of what is wrong with its JSON, where that is known.
func at(path string, content []byte, err error) string {
	offset := -1
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = int(syntax.Offset)
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = int(kind.Offset)
	}
	if offset < 0 || offset > len(content) {
		return path
	}
	return fmt.Sprintf("%s:%d", path, 1+bytes.Count(content[:offset], []byte("\n")))
}
