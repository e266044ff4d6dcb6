package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
	"kiban.dev/kiban/lifecycle/selector"
)

// List is the sites of a fleet, or those of them that changed.
type List struct {
	// Since is the full name of the revision that was asked for.
	Since string `json:"since,omitempty"`
	Sites []Row  `json:"sites"`
	// Removed are the sites that the revision had and the fleet has no more.
	Removed []string `json:"removed,omitempty"`
	// Reach is what differs of the files that sites of the fleet are built with. Unsure are the sites of which only building them tells with
	// which.
	Reach  []Reach  `json:"reach,omitempty"`
	Unsure []string `json:"unsure,omitempty"`
}

// Row is one site of it. Change is "added", "changed" or "renamed" since the revision; Valid is false when it cannot be read, and then
// only the name is known.
type Row struct {
	Name     string             `json:"name"`
	Wave     int                `json:"wave"`
	Provider lifecycle.Provider `json:"provider,omitempty"`
	Version  string             `json:"version,omitempty"`
	Labels   map[string]string  `json:"labels,omitempty"`
	// From are the sites that must have run a version before this one takes it.
	From   []string `json:"from,omitempty"`
	Change string   `json:"change,omitempty"`
	// Formerly is the name of a site that was renamed.
	Formerly string `json:"formerly,omitempty"`
	Valid    bool   `json:"valid"`
}

// All lists a fleet. The findings are those that keep a site from being read.
func All(ctx context.Context, now Declared) (List, lifecycle.Diagnostics, error) {
	list, all := List{Sites: make([]Row, len(now.names))}, make([]lifecycle.Diagnostics, len(now.names))
	err := AtOnce(ctx, len(now.names), runtime.GOMAXPROCS(0), func(i int) {
		name := now.names[i]
		d, ds := now.Read(ctx, name)
		list.Sites[i], all[i] = rowOf(d, name, ds), firstFinding(name, Errors(ds))
	})
	list.sort()
	return list, withoutRepeats(slices.Concat(all...)), err
}

// Selected leaves the sites that a selector matches, and those that can't be read: nobody knows their labels, so none is left out in
// silence.
func (l List) Selected(by selector.Selector) List {
	l.Sites = slices.DeleteFunc(slices.Clone(l.Sites), func(r Row) bool { return r.Valid && !by.Matches(r.declared()) })
	return l
}

// OfWave leaves the sites of a wave, and those that can't be read, which may be of it.
func (l List) OfWave(wave int) List {
	l.Sites = slices.DeleteFunc(slices.Clone(l.Sites), func(r Row) bool { return r.Valid && r.Wave != wave })
	return l
}

// Names are those of its sites, in its order.
func (l List) Names() []string {
	var out []string
	for _, r := range l.Sites {
		out = append(out, r.Name)
	}
	return out
}

// All lists the sites of a fleet as it is now. The findings are those that keep a site from being read.
func (s Source) All(ctx context.Context, fleet string) (list List, found lifecycle.Diagnostics, err error) {
	now, err := s.Now(fleet)
	if err != nil {
		return list, nil, err
	}
	return All(ctx, now)
}

// Changed lists the sites of a fleet whose declaration is not what it was at a revision. The findings are those of Between.
func (s Source) Changed(ctx context.Context, fleet, since string) (list List, found lifecycle.Diagnostics, err error) {
	now, err := s.Now(fleet)
	if err != nil {
		return list, nil, err
	}
	then, done, err := s.At(fleet, since)
	if err != nil {
		return list, nil, err
	}
	list, found, err = Between(ctx, then, now)
	return list, found, errors.Join(err, done())
}

// Between lists the sites whose declaration is not what it was then. The findings are those that keep a site from being read, and what
// is to be known of those that were removed.
func Between(ctx context.Context, then, now Declared) (list List, found lifecycle.Diagnostics, err error) {
	list = List{Since: then.Revision, Sites: []Row{}}
	files, err := comparisonOf(then, now)
	if err != nil {
		return list, nil, err
	}
	reads, differ := make([][]string, len(now.names)), make([][]string, len(now.names))
	told := make([]bool, len(now.names))
	if err := AtOnce(ctx, len(now.names), runtime.GOMAXPROCS(0), func(i int) {
		reads[i], told[i] = now.reads(now.names[i])
		differ[i] = files.differing(reads[i])
	}); err != nil {
		return list, nil, err
	}
	var doubtful []string
	reached := reaches{}
	for i, name := range now.names {
		reached.add(name, differ[i])
		if told[i] && then.Has(name) && len(differ[i]) == 0 {
			continue // nothing that it could be made of has changed; building a site takes ten times as long as that
		}
		if !told[i] {
			list.Unsure = append(list.Unsure, name)
		}
		doubtful = append(doubtful, name)
	}
	if err := then.Prepare(doubtful...); err != nil {
		return list, nil, err
	}
	rows, all := make([]Row, len(doubtful)), make([]lifecycle.Diagnostics, len(doubtful))
	if err := AtOnce(ctx, len(doubtful), runtime.GOMAXPROCS(0), func(i int) {
		rows[i], all[i] = changedSince(ctx, then, now,
			doubtful[i])
	}); err != nil {
		return list, nil, err
	}
	found = slices.Concat(all...)
	for _, row := range rows {
		if row.Change != "" {
			list.Sites = append(list.Sites, row)
		}
	}
	list.sort()
	list.Reach = reached.of(list.Sites)
	found = withoutRepeats(found)
	formers, renamed := formersOf(ctx, then, now), map[string]bool{}
	for i, row := range list.Sites {
		if row.Change != string(lifecycle.DeclaredAdded) {
			continue
		}
		was, err := formers(row.Name)
		if err != nil {
			return list, nil, err
		}
		if was != "" {
			list.Sites[i].Change, list.Sites[i].Formerly, renamed[was] = "renamed", was, true
			found = append(found, renamedSite(was, row.Name))
		}
	}
	for _, name := range then.names {
		if !now.Has(name) && !renamed[name] {
			list.Removed, found = append(list.Removed, name), append(found, removedSite(name, then.Revision))
		}
	}
	return list, found, nil
}

// changedSince compares a site with what it was; its row has no Change when it is the same.
func changedSince(ctx context.Context, then, now Declared, name string) (Row, lifecycle.Diagnostics) {
	is, ds := now.Read(ctx, name)
	row, ds := rowOf(is, name, ds), firstFinding(name, Errors(ds))
	if !then.Has(name) {
		row.Change = string(lifecycle.DeclaredAdded)
		return row, ds
	}
	if !row.Valid {
		row.Change = string(lifecycle.DeclaredChanged)
		return row, ds
	}
	was, before := then.Read(ctx, name)
	if before = Errors(before); len(before) > 0 {
		before[0].Severity, before[0].Hint = lifecycle.SeverityWarning, "" // it is mended by now
		before[0].Detail = "So what changed cannot be told, and the sites that are built with it count as changed.\n" + before[0].Detail
		row.Change = string(lifecycle.DeclaredChanged)
		return row, append(ds, before[0])
	}
	if !diff.Same(was, is) {
		row.Change = string(lifecycle.DeclaredChanged)
	}
	return row, ds
}

// Formerly is what a site was called then that there was not by its name; "" where it is new. That both are of one cluster is known by
// the cluster's UID, where both say it. The error says why it can't be told.
func Formerly(ctx context.Context, then, now Declared, name string) (string, error) {
	return formersOf(ctx, then, now)(name)
}

// formersOf is Formerly for many sites: what is gone is read once.
func formersOf(ctx context.Context, then, now Declared) func(name string) (string, error) {
	gone := sync.OnceValues(func() (map[string]string, error) {
		names := slices.DeleteFunc(slices.Clone(then.names), now.Has)
		if err := then.Prepare(names...); err != nil {
			return nil, err
		}
		out := map[string]string{}
		for _, former := range names {
			was, _ := then.Read(ctx, former)
			if uid := was.Site.API.ClusterUID; out[uid] == "" {
				out[uid] = former
			}
		}
		return out, nil
	})
	return func(name string) (string, error) {
		if then.Has(name) {
			return "", nil
		}
		is, _ := now.Read(ctx, name)
		if is.Site.API.ClusterUID == "" {
			return "", nil
		}
		by, err := gone()
		return by[is.Site.API.ClusterUID], err
	}
}

// renamedSite says what a new name leaves to be done.
func renamedSite(was, is string) lifecycle.Diagnostic {
	return lifecycle.Warnf("overlays/"+is, "%s is called %s now", was, is).
		Because("Both name the same cluster (spec.api.clusterUID): nothing is taken down, and nothing is new.").
		Try("kiban changes it by its new name as soon as the cluster no longer says the old one: " +
			lifecycle.TakeMarkBack)
}

// removedSite says what becomes of a site whose overlay is gone: nothing.
func removedSite(name, revision string) lifecycle.Diagnostic {
	return lifecycle.Warnf("overlays/"+name, "the overlay of %s is gone", name).
		Because("Its cluster goes on running, and nobody looks after it: kiban never destroys a site because it has left the repository.").
		Try(fmt.Sprintf("Put the overlay back. To take the cluster down, do it while it is declared (git show %.10s has it): "+
			"`kiban node remove %s HOST`,\nor `reset: true` on its hosts and `kiban apply %s`.",
			revision, name, name))
}

func rowOf(d diff.Declaration, name string, ds lifecycle.Diagnostics) Row {
	if ds.Err() != nil {
		return Row{Name: name}
	}
	s := d.Site
	return Row{Name: name, Wave: s.Wave, Provider: s.Provider, Version: s.Cluster.Version.String(), Labels: s.Labels,
		From: s.Promotion.From, Valid: true}
}

// Errors leaves warnings to validate.
func Errors(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d lifecycle.Diagnostic) bool { return d.Severity == lifecycle.SeverityWarning })
}

// firstFinding is the first of a site's findings, for a list of sites is no place for all of them.
func firstFinding(site string, ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	if len(ds) > 1 {
		ds[0].Hint = strings.TrimSpace(fmt.Sprintf("%s\n`kiban validate %s` has all %d findings.", ds[0].Hint, site, len(ds)))
		return ds[:1]
	}
	return ds
}

// withoutRepeats leaves out what was found in a base again and again, for each site that is built with it.
func withoutRepeats(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	seen := map[string]bool{}
	return slices.DeleteFunc(ds, func(d lifecycle.Diagnostic) bool {
		again := seen[d.Error()]
		seen[d.Error()] = true
		return again
	})
}

// sort puts sites in the order of their waves, and those that cannot be read last.
func (l List) sort() {
	unread := func(r Row) int {
		if r.Valid {
			return 0
		}
		return 1
	}
	slices.SortFunc(l.Sites, func(x, y Row) int {
		return cmp.Or(cmp.Compare(unread(x), unread(y)), cmp.Compare(x.Wave, y.Wave), cmp.Compare(x.Name, y.Name))
	})
}

// Declared are the sites of a list, as far as it tells of them.
func (l List) Declared() []lifecycle.Site {
	var out []lifecycle.Site
	for _, r := range l.Sites {
		out = append(out, r.declared())
	}
	return out
}

func (r Row) declared() lifecycle.Site {
	return lifecycle.Site{Name: r.Name, Wave: r.Wave, Provider: r.Provider, Labels: r.Labels, Promotion: lifecycle.Promotion{From: r.From}}
}

// Only leaves the sites that are named, of which each must be in the fleet; it leaves all when none is.
func (l List) Only(now Declared, names []string) (List, error) {
	if len(names) == 0 {
		return l, nil
	}
	meant := map[string]bool{}
	for _, name := range names {
		meant[name] = true
		if !now.Has(name) {
			return l, lifecycle.Errorf("overlays/"+name, "there is no site %q", name).
				Try("`kiban sites` lists them. In the fleet's pipeline their names come from the variable KIBAN_SITES.")
		}
	}
	l.Sites = slices.DeleteFunc(slices.Clone(l.Sites), func(r Row) bool { return !meant[r.Name] })
	return l, nil
}
