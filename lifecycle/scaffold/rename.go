package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Renaming is a site's new name, in all files of the fleet that say the old one. Nothing is written before Do.
type Renaming struct {
	fleet, from, to string
	// files are those that change, as they are called now; former is what they were.
	files, former []File
}

// Rename finds what a new name of a site changes: the names of its Site and Cluster documents, and the sites that wait for it
// (spec.promotion.from). All else in those files stays as it is, byte by byte.
func Rename(fleet, from, to string) (Renaming, error) {
	r := Renaming{fleet: fleet, from: from, to: to}
	files, err := ReadFolder(filepath.Join(fleet, "overlays"))
	if err != nil {
		return r, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".yaml") && !strings.HasSuffix(f.Path, ".yml") {
			continue
		}
		f.Path = "overlays/" + f.Path
		content, err := renamed(f.Content, from, to, strings.HasPrefix(f.Path, "overlays/"+from+"/"))
		if err != nil {
			return r, lifecycle.Errorf(f.Path, "the name can't be changed there").From(err).Try("Mend the file: kiban validate")
		}
		if string(content) != string(f.Content) {
			r.files, r.former = append(r.files, File{f.Path, content}), append(r.former, f)
		}
	}
	return r, nil
}

// Others are the files of other sites that change.
func (r Renaming) Others() []string {
	var out []string
	for _, f := range r.files {
		if !strings.HasPrefix(f.Path, "overlays/"+r.from+"/") {
			out = append(out, f.Path)
		}
	}
	return out
}

// Do gives the folder its new name, and writes the files. After an error everything is as it was, as far as that can be had; the error
// says where it can't.
func (r Renaming) Do() error {
	if err := r.move(r.from, r.to); err != nil {
		return err
	}
	for i, f := range r.files {
		if err := r.write(f); err != nil {
			return r.undo(i, err)
		}
	}
	return nil
}

// Undo takes the whole back, because of an error.
func (r Renaming) Undo(because error) error { return r.undo(len(r.files)-1, because) }

func (r Renaming) undo(last int, because error) error {
	ds := lifecycle.AsDiagnostics(because, "the site could not be renamed")
	for _, f := range r.former[:last+1] {
		if err := r.write(f); err != nil {
			ds = append(ds, lifecycle.Errorf(f.Path, "the file could not be put back").From(err).
				Try(lifecycle.ShellWords("git", "checkout", "--", f.Path)))
		}
	}
	if err := r.move(r.to, r.from); err != nil {
		ds = append(ds, lifecycle.Errorf("overlays/"+r.to, "the folder could not be put back").From(err))
	}
	return ds
}

func (r Renaming) move(from, to string) error {
	return os.Rename(filepath.Join(r.fleet, "overlays", from), filepath.Join(r.fleet, "overlays", to))
}

// write puts a file where the folder is now.
func (r Renaming) write(f File) error {
	path := f.Path
	if rest, own := strings.CutPrefix(path, "overlays/"+r.from+"/"); own {
		path = "overlays/" + r.to + "/" + rest
	}
	path = filepath.Join(r.fleet, filepath.FromSlash(path))
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, f.Content, info.Mode().Perm())
}

// renamed is a file of an overlay with the site's new name. own: it is one of the site's own overlay.
func renamed(content []byte, from, to string, own bool) ([]byte, error) {
	docs, err := documents(content)
	if err != nil {
		return nil, err
	}
	var places []*yaml.Node
	for _, d := range docs {
		top := d.Content[0]
		api, kind := text(get(top, "apiVersion")), text(get(top, "kind"))
		site := strings.HasPrefix(api, "kiban.dev/") && kind == "Site"
		if own && (site || api == k0sctlAPI && kind == "Cluster") {
			places = append(places, get(top, "metadata", "name"))
		}
		if list := get(top, "spec", "promotion", "from"); site && list != nil {
			places = append(places, list.Content...)
		}
	}
	places = slices.DeleteFunc(places, func(n *yaml.Node) bool { return text(n) != from })
	slices.SortFunc(places, func(a, b *yaml.Node) int { return (b.Line-a.Line)<<16 + b.Column - a.Column }) // from the end on
	lines := strings.SplitAfter(string(content), "\n")
	for _, n := range places {
		if n.Line > len(lines) {
			return nil, fmt.Errorf("line %d: %q is not where it was read", n.Line, from)
		}
		line := []rune(lines[n.Line-1])
		before, after := string(line[:n.Column-1]), string(line[n.Column-1:])
		quote := ""
		if strings.HasPrefix(after, `"`) || strings.HasPrefix(after, "'") {
			quote = after[:1]
		}
		rest, there := strings.CutPrefix(after, quote+from)
		if !there {
			return nil, fmt.Errorf("line %d: write the name %s plainly", n.Line, from)
		}
		lines[n.Line-1] = before + quote + to + rest
	}
	return []byte(strings.Join(lines, "")), nil
}
