package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// Keep puts what was learnt of a site into its file in a folder, which is made where there is none. What was not learnt is taken over
// from the file that is there, with its time. A file of a later question stays. The warnings tell of a file that was there and could not
// be read: it is written anew.
func Keep(dir string, c Collected, now time.Time) (lifecycle.Diagnostics, error) {
	if !names(c.Site) {
		return nil, lifecycle.Errorf(c.Site, "its name can't be that of a file").Because("What is known of a site is kept as SITE.json.").
			Try("Give the overlay's folder a name of letters, digits, - and _.")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unkept(dir, err)
	}
	var told lifecycle.Diagnostics
	before, err := readOne(dir, c.Site+fileEnding, now)
	switch {
	case err == nil && before.Asked.After(c.Asked):
		return nil, nil
	case err == nil:
		c.carry(before)
	case !errors.Is(err, fs.ErrNotExist):
		told = append(told, asWarning(err))
	}
	content, err := c.encode()
	if err != nil {
		return told, unkept(dir, err)
	}
	if err := atomicfile.Write(filepath.Join(dir, c.Site+fileEnding), content, 0o600); err != nil {
		return told, unkept(dir, err)
	}
	return told, nil
}

// carry takes over what was known before and is not now.
func (c *Collected) carry(before Collected) {
	then := before.parts()
	for i, p := range c.parts() {
		p.carry(then[i].part)
	}
}

// encode is the file's content.
func (c Collected) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(c); err != nil {
		return nil, err
	}
	return lifecycle.HarmlessJSON(b.Bytes()), nil
}

func unkept(dir string, err error) error {
	return lifecycle.Errorf(dir, "what was learnt could not be kept").From(err).Try("Name a folder that may be written to: --out DIR")
}

func asWarning(err error) lifecycle.Diagnostic {
	d := lifecycle.AsDiagnostics(err, err.Error())[0]
	d.Severity = lifecycle.SeverityWarning
	return d
}

// Left are the sites that have a file in a folder and are not among those of the fleet, sorted. With prune their files are removed; what
// is no file of a collect never is.
func Left(dir string, sites []string, prune bool, now time.Time) (left []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unkept(dir, err)
	}
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), fileEnding)
		if !is || slices.Contains(sites, name) {
			continue
		}
		if _, err := readOne(dir, e.Name(), now); err != nil {
			continue // ReadCollected says what is wrong with it
		}
		left = append(left, name)
		if prune {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return left, unkept(dir, err)
			}
		}
	}
	return left, nil
}
