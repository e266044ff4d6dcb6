package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Reach is a folder or a file of the fleet that is not what it was at a revision, and whom that concerns.
type Reach struct {
	// Path is relative to the fleet: that of a base, a component or an overlay, or of a file that documents name.
	Path string `json:"path"`
	// Sites are those that it is read for; Changed are those of them whose declaration is not what it was.
	Sites   []string `json:"sites"`
	Changed []string `json:"changed,omitempty"`
}

// reaches collects, by path, which sites are built with what is not what it was.
type reaches map[string][]string

func (r reaches) add(site string, paths []string) {
	for _, path := range paths {
		r[path] = append(r[path], site)
	}
}

// of are the reaches, by their paths; rows are the sites that changed.
func (r reaches) of(rows []Row) []Reach {
	changed := map[string]bool{}
	for _, row := range rows {
		changed[row.Name] = true
	}
	var out []Reach
	for _, path := range slices.Sorted(maps.Keys(r)) {
		one := Reach{Path: path, Sites: r[path]}
		for _, site := range r[path] {
			if changed[site] {
				one.Changed = append(one.Changed, site)
			}
		}
		out = append(out, one)
	}
	return out
}

// own reports whether it is nothing but a site's own overlay: that it reaches that site goes without saying.
func (r Reach) own() bool { return len(r.Sites) == 1 && r.Path == "overlays/"+r.Sites[0] }

func (r Reach) line() string {
	built, changed := len(r.Sites), len(r.Changed)
	switch {
	case changed == 0 && built == 1:
		return fmt.Sprintf("%s: read for %s, and does not change it", r.Path, r.Sites[0])
	case changed == 0:
		return fmt.Sprintf("%s: read for %s, and changes none", r.Path, lifecycle.Count(built, "site"))
	case changed == built:
		return fmt.Sprintf("%s: changes %s: %s", r.Path, lifecycle.Count(built, "site"), lifecycle.Few(r.Changed))
	}
	return fmt.Sprintf("%s: changes %d of %s that it is read for: %s", r.Path, changed, lifecycle.Count(built, "site"),
		lifecycle.Few(r.Changed))
}

// Reached says line by line what that is shared has changed, and which sites of the fleet it changes; "" where that is nothing.
func (l List) Reached() string {
	var b strings.Builder
	for _, r := range l.Reach {
		if !r.own() {
			b.WriteString(r.line() + "\n")
		}
	}
	if b.Len() > 0 && len(l.Unsure) > 0 {
		fmt.Fprintf(&b, "Not counted here, for only building them tells what they are made of: %s\n", lifecycle.Few(l.Unsure))
	}
	return b.String()
}
