package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// What a document names by a path is read on the machine that runs kiban, by whoever runs it, and may end up on every machine of the site.
// So it is of the fleet's repository, with all links followed, or of a place that the fleet's owners name.

// LocalFile says where a path that a site's documents name leads, with its links followed. It is an error when that is neither of the fleet
// nor of a place that the fleet's owners name.
func LocalFile(s lifecycle.Site, path string) (string, error) {
	return ofFleet(s, path, overlay.InFleet)
}

func ofFleet(s lifecycle.Site, path string, within func(fleet, path string) (string, error)) (string, error) {
	to, err := within(filepath.Dir(filepath.Dir(s.Dir)), path)
	if overlay.LeadsOut(err) {
		if real, failed := filepath.EvalSymlinks(path); failed == nil && s.Fleet.AllowsLocal(real) {
			return real, nil
		}
		if s.Beside != "" {
			if real, failed := overlay.InFleet(s.Beside, path); failed == nil {
				return real, nil
			}
		}
	}
	return to, err
}

// local is for secrets and host keys, which may lie beside what is committed.
func (l *loader) local(path string) (string, error) { return LocalFile(*l.site, path) }

// content is for what is put on machines and into clusters as it is: it can be in a commit.
func (l *loader) content(path string) (string, error) {
	return ofFleet(*l.site, path, overlay.InCommit)
}

// readLocal reads a file whose content a document names.
func (l *loader) readLocal(path string) ([]byte, error) {
	to, err := l.content(path)
	if err != nil {
		return nil, err
	}
	return overlay.ReadPlain(to)
}

// notLocal is the finding about a file that is not to be read, or that is not there. what names what it is for.
func (l *loader) notLocal(at overlay.Place, what, path string, err error) finding {
	if overlay.LeadsOut(err) {
		return wrong(at, fmt.Sprintf("%s is outside of the fleet", what),
			l.tree.Rel(path)+" is not in the repository, by its path or by a link; what is there is for whoever runs kiban, and not in the commit.",
			"Put it into the repository, or have the fleet's owners name the place in "+lifecycle.FleetFile+": `spec: {localFiles: ["+
				filepath.ToSlash(filepath.Dir(path))+"/]}`.")
	}
	detail := "It is looked for at " + l.tree.Rel(path) + "."
	if !errors.Is(err, fs.ErrNotExist) {
		detail += " " + err.Error() + "."
	}
	return wrong(at, what+" can't be read", detail, "Correct the path; it is relative to the overlay.")
}

// checkSources holds that the files that hosts are to get are of the fleet: k0sctl's own reading follows paths, wildcards and links
// wherever they lead.
func (l *loader) checkSources(c clusterDocument) []finding {
	var found []finding
	judged := map[string]error{}
	for _, h := range c.Spec.Hosts {
		for i, f := range h.Files {
			if f.Src == "" || f.Data != "" || strings.Contains(f.Src, "://") {
				continue
			}
			path := absolute(l.site.Dir, f.Src)
			err, known := judged[path]
			if !known {
				err = l.judgeSource(path)
				judged[path] = err
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // k0sctl says what is missing
				found = append(found, l.notLocal(hostPlace(h.Hostname, "files", overlay.Index(i), "src"),
					fmt.Sprintf("host %s: the file %s", h.Hostname, f.Src), path, err))
			}
		}
	}
	return found
}

// judgeSource follows a path up to its first wildcard, and every link below it.
func (l *loader) judgeSource(path string) error {
	if i := strings.IndexAny(path, "*%?[]{}"); i >= 0 {
		path = filepath.Dir(path[:i] + "x")
	}
	to, err := l.content(path)
	if err != nil {
		return err
	}
	return filepath.WalkDir(to, func(below string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			_, err = l.content(below)
		}
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			real, err := l.content(below)
			if err != nil {
				return err
			}
			if info, err := os.Stat(real); err != nil || info.IsDir() {
				return errors.Join(err, fmt.Errorf("%s is a link to a folder", l.tree.Rel(below)))
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is no plain file", l.tree.Rel(below))
		}
		return nil
	})
}
