package fleet

import (
	"cmp"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Snapshot is a fleet as a commit has it. Its methods may be called at once; their errors are lifecycle.Diagnostics.
type Snapshot interface {
	// Revision is the commit's full name.
	Revision() string
	// Entries are the files and folders right below a folder of the fleet, "" being the fleet's own, with what git calls what they hold.
	// There are none where the commit has no such folder. The maps are not to be changed.
	Entries(folder string) (files, folders map[string]string, err error)
	// Content is what a file of the commit holds, and whether that is all of it.
	Content(name string) (content []byte, whole bool, err error)
	// Write writes what the commit has at or below the named files and folders into a folder.
	Write(into string, names ...string) error
	// Beside are the names right below the fleet's folder that are there and not git's.
	Beside() ([]string, error)
}

// manySites is how many sites of a revision may be written out one by one. For more, all of it is: what a site reads must be found out
// before, and that takes a tenth of building it.
const manySites = 100

// overlays is the folder of a fleet that has a folder for each site.
const overlays = "overlays"

// past is the side of a fleet as a commit has it. It is written into a folder as far as sites are read from there: what they share, and
// each one's overlay, with all that documents name beside that. Where it can't be told what a site reads, all is written.
type past struct {
	Snapshot
	// fleet is the work tree beside; there is what git does not hold.
	fleet  worktree
	source Source

	mu      sync.Mutex
	dir     string              // "" until something is written
	all     bool                // is written
	written map[string]bool     // overlays
	reads   map[string][]string // of sites that can be read
	beside  func() (map[string]bool, error)
}

func newPast(of Snapshot, fleet worktree, source Source) *past {
	return &past{Snapshot: of, fleet: fleet, source: source, written: map[string]bool{}, reads: map[string][]string{},
		beside: sync.OnceValues(func() (map[string]bool, error) {
			names, err := of.Beside()
			out := map[string]bool{}
			for _, name := range names {
				out[name] = true
			}
			return out, err
		})}
}

// names are the sites that there were.
func (p *past) names() ([]string, error) {
	_, folders, err := p.Entries(overlays)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		files, _, failed := p.Entries(path.Join(overlays, name))
		if err = cmp.Or(err, failed); p.source.IsSite(slices.Collect(maps.Keys(files))) {
			out = append(out, name)
		}
	}
	return out, err
}

// outside reports whether a path is of what git does not hold: it is what it is in the work tree.
func (p *past) outside(of string) (bool, error) {
	first, _, _ := strings.Cut(of, "/")
	beside, err := p.beside()
	return beside[first], err
}

func (p *past) below(of string) (map[string]string, error) {
	if is, err := p.outside(of); is || err != nil {
		if err != nil {
			return nil, err
		}
		return p.fleet.below(of)
	}
	files, _, err := p.Entries(parent(of))
	if blob, is := files[path.Base(of)]; is || err != nil {
		return map[string]string{".": blob}, err
	}
	out := map[string]string{}
	return out, p.addBelow(out, of, "")
}

func (p *past) addBelow(to map[string]string, of, rel string) error {
	files, folders, err := p.Entries(path.Join(of, rel))
	for name, blob := range files {
		to[path.Join(rel, name)] = blob
	}
	for name := range folders {
		err = cmp.Or(err, p.addBelow(to, of, path.Join(rel, name)))
	}
	return err
}

func (p *past) content(name string) ([]byte, bool, error) {
	if is, err := p.outside(name); is || err != nil {
		if err != nil {
			return nil, false, err
		}
		return p.fleet.content(name)
	}
	return p.Content(name)
}

// hasAll reports whether another revision has the same at a path, by what git calls it.
func (p *past) hasAll(other *past, of string) bool {
	files, folders, err := p.Entries(parent(of))
	filesThere, foldersThere, errThere := other.Entries(parent(of))
	is, there := cmp.Or(files[path.Base(of)], folders[path.Base(of)]), cmp.Or(filesThere[path.Base(of)], foldersThere[path.Base(of)])
	return err == nil && errThere == nil && is != "" && is == there
}

// prepare writes out what the sites are read from.
func (p *past) prepare(names ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.begin(); err != nil {
		return err
	}
	if len(names) > manySites {
		return p.writeAll()
	}
	for _, name := range names {
		if err := p.site(name); err != nil {
			return err
		}
	}
	return nil
}

// begin writes what is no site's overlay.
func (p *past) begin() (err error) {
	if p.dir != "" {
		return nil
	}
	files, folders, err := p.Entries("")
	if err != nil {
		return err
	}
	beside, err := p.beside()
	if err != nil {
		return err
	}
	if p.dir, err = Scratch("kiban-revision-"); err != nil {
		return err
	}
	shared := slices.Concat(slices.Collect(maps.Keys(files)), slices.Collect(maps.Keys(folders)))
	shared = slices.DeleteFunc(slices.Sorted(slices.Values(shared)), func(name string) bool { return name == overlays })
	err = p.Write(p.dir, shared...)
	for name := range beside {
		err = cmp.Or(err, os.Symlink(filepath.Join(p.fleet.dir, name), filepath.Join(p.dir, name)))
	}
	return err
}

// site writes a site's overlay, and what else it reads.
func (p *past) site(name string) error {
	if _, done := p.reads[name]; done || p.all {
		return nil
	}
	if err := p.overlay(name); err != nil {
		return err
	}
	for {
		reads, told := p.source.Reads(p.dir, name)
		if !told {
			return p.writeAll()
		}
		more := false
		for _, of := range reads {
			first, rest, _ := strings.Cut(of, "/")
			switch other, _, _ := strings.Cut(rest, "/"); {
			case first != overlays:
			case other == "":
				return p.writeAll()
			case !p.written[other]:
				more = true
				if err := p.overlay(other); err != nil {
					return err
				}
			}
		}
		if !more { // else what was written now may read more
			p.reads[name] = reads
			return nil
		}
	}
}

func (p *past) overlay(name string) error {
	if p.written[name] {
		return nil
	}
	p.written[name] = true
	return p.Write(p.dir, path.Join(overlays, name))
}

func (p *past) writeAll() error {
	if p.all {
		return nil
	}
	files, folders, err := p.Entries(overlays)
	if err != nil {
		return err
	}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if !p.written[name] { // the others may be being read
			left = append(left, path.Join(overlays, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		left = append(left, path.Join(overlays, name))
	}
	if err := p.Write(p.dir, left...); err != nil {
		return err
	}
	p.all = true
	return nil
}

// folder is where what is read of it lies.
func (p *past) folder() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dir
}

// made are the files and folders that a site was made of, as Source.Reads has it.
func (p *past) made(name string) ([]string, bool) {
	if p.prepare(name) != nil {
		return nil, false
	}
	p.mu.Lock()
	reads, known := p.reads[name]
	p.mu.Unlock()
	if known {
		return reads, true
	}
	return p.source.Reads(p.folder(), name)
}

// clear takes away what was written.
func (p *past) clear() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// parent is the folder of a file; "" is the fleet's own.
func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}
