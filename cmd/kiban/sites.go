package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
)

type sitesOptions struct {
	app    *app
	output output
	// Since lists only what changed since that revision; Changed says that it was given.
	Since   string
	Changed bool
}

func newSites(a *app, runF func(context.Context, *sitesOptions) error) *cobra.Command {
	opts := &sitesOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sites",
		Short: "List the sites of the fleet, or those that changed since a revision",
		Long: `List the sites of the fleet, in the order of their waves.

With --changed-since only those whose declaration is not what it was at that revision: a change of a base or a component marks every site
that is built with it, and no other. It is the built declaration that is compared, with the lock file and the files that it names: a
comment or a README marks none. A site that cannot be read, now or then, counts as changed. What is compared is the work tree, not yet
committed changes included.

A site whose overlay is gone is said on stderr: kiban destroys nothing because of it.
Exit code 1 when a site cannot be read; the others are listed all the same.`,
		Example: `  kiban sites
  kiban sites --changed-since origin/main -o json
  kiban sites --changed-since "$CI_MERGE_REQUEST_DIFF_BASE_SHA" -o names`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			opts.Changed = cmd.Flags().Changed("changed-since")
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return sitesRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "names")
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "only the sites that changed since that revision: a commit, a branch, a tag")
	return cmd
}

// siteList is the machine-readable form.
type siteList struct {
	// Since is the full name of the revision that was asked for.
	Since string    `json:"since,omitempty"`
	Sites []siteRow `json:"sites"`
	// Removed are the sites that the revision had and the fleet has no more.
	Removed []string `json:"removed,omitempty"`
}

// siteRow is one site. Change is "added" or "changed" since the revision; Valid is false when it cannot be read, and then only the name is
// known.
type siteRow struct {
	Name     string             `json:"name"`
	Wave     int                `json:"wave"`
	Provider lifecycle.Provider `json:"provider,omitempty"`
	Version  string             `json:"version,omitempty"`
	Labels   map[string]string  `json:"labels,omitempty"`
	// From are the sites that must have run a version before this one takes it.
	From   []string `json:"from,omitempty"`
	Change string   `json:"change,omitempty"`
	Valid  bool     `json:"valid"`
}

func sitesRun(ctx context.Context, opts *sitesOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	var list siteList
	var found lifecycle.Diagnostics
	if opts.Changed {
		list, found, err = a.sitesSince(ctx, fleet, opts.Since)
	} else {
		list, found, err = a.allSites(ctx, fleet)
	}
	if err != nil {
		return err
	}
	a.findings(found)
	if err := writeSites(a.Out, opts, list); err != nil {
		return err
	}
	if found.Err() != nil {
		return shown{found}
	}
	return nil
}

// allSites lists the fleet. The findings are those that keep a site from being read.
func (a *app) allSites(ctx context.Context, fleet string) (siteList, lifecycle.Diagnostics, error) {
	now, _, err := a.declaredAt(fleet, "", true)
	if err != nil {
		return siteList{}, nil, err
	}
	list, all := siteList{Sites: make([]siteRow, len(now.names))}, make([]lifecycle.Diagnostics, len(now.names))
	err = atOnce(ctx, len(now.names), func(i int) {
		name := now.names[i]
		d, ds := now.read(ctx, name)
		list.Sites[i], all[i] = rowOf(d, name, ds), firstFinding(name, errorsOf(ds))
	})
	list.sort()
	return list, withoutRepeats(slices.Concat(all...)), err
}

// sitesSince lists the sites whose declaration in the work tree is not what it was at a revision. The findings are those that keep a site
// from being read, and what is to be known of those that were removed.
func (a *app) sitesSince(ctx context.Context, fleet, revision string) (list siteList, found lifecycle.Diagnostics, err error) {
	then, done, err := a.declaredAt(fleet, revision, false)
	if err != nil {
		return list, nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	return a.sitesBetween(ctx, fleet, then)
}

// sitesBetween lists the sites whose declaration in the work tree is not what it was then.
func (a *app) sitesBetween(ctx context.Context, fleet string, then declared) (list siteList, found lifecycle.Diagnostics, err error) {
	now, _, err := a.declaredAt(fleet, "", true)
	if err != nil {
		return list, nil, err
	}
	list = siteList{Since: then.Revision, Sites: []siteRow{}}
	files := comparison{then: then.dir, now: now.dir, same: map[string]bool{}}
	var doubtful []string
	for _, name := range now.names {
		if reads, told := a.SiteReads(fleet, name); told && then.has(name) && files.all(reads) {
			continue // nothing that it could be made of has changed; building a site takes ten times as long as that
		}
		doubtful = append(doubtful, name)
	}
	rows, all := make([]siteRow, len(doubtful)), make([]lifecycle.Diagnostics, len(doubtful))
	if err := atOnce(ctx, len(doubtful), func(i int) { rows[i], all[i] = changedSince(ctx, then, now, doubtful[i]) }); err != nil {
		return list, nil, err
	}
	found = slices.Concat(all...)
	for _, row := range rows {
		if row.Change != "" {
			list.Sites = append(list.Sites, row)
		}
	}
	list.sort()
	found = withoutRepeats(found)
	for _, name := range then.names {
		if !now.has(name) {
			list.Removed, found = append(list.Removed, name), append(found, removedSite(name, then.Revision))
		}
	}
	return list, found, nil
}

// changedSince compares a site with what it was; its row has no Change when it is the same.
func changedSince(ctx context.Context, then, now declared, name string) (siteRow, lifecycle.Diagnostics) {
	is, ds := now.read(ctx, name)
	row, ds := rowOf(is, name, ds), firstFinding(name, errorsOf(ds))
	if !then.has(name) {
		row.Change = string(lifecycle.DeclaredAdded)
		return row, ds
	}
	if !row.Valid {
		row.Change = string(lifecycle.DeclaredChanged)
		return row, ds
	}
	was, before := then.read(ctx, name)
	if before = errorsOf(before); len(before) > 0 {
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

// removedSite says what becomes of a site whose overlay is gone: nothing.
func removedSite(name, revision string) lifecycle.Diagnostic {
	return lifecycle.Warnf("overlays/"+name, "the overlay of %s is gone", name).
		Because("Its cluster goes on running, and nobody looks after it: kiban never destroys a site because it has left the repository.").
		Try(fmt.Sprintf("Put the overlay back. To take the cluster down, do it while it is declared (git show %.10s has it): "+
			"`kiban node remove %s HOST`,\nor `reset: true` on its hosts and `kiban apply %s`.",
			revision, name, name))
}

func rowOf(d diff.Declaration, name string, ds lifecycle.Diagnostics) siteRow {
	if ds.Err() != nil {
		return siteRow{Name: name}
	}
	s := d.Site
	return siteRow{Name: name, Wave: s.Wave, Provider: s.Provider, Version: s.Cluster.Version.String(), Labels: s.Labels,
		From: s.Promotion.From, Valid: true}
}

// errorsOf leaves warnings to validate.
func errorsOf(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
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
func (l siteList) sort() {
	unread := func(r siteRow) int {
		if r.Valid {
			return 0
		}
		return 1
	}
	slices.SortFunc(l.Sites, func(x, y siteRow) int {
		return cmp.Or(cmp.Compare(unread(x), unread(y)), cmp.Compare(x.Wave, y.Wave), cmp.Compare(x.Name, y.Name))
	})
}

func writeSites(w io.Writer, opts *sitesOptions, list siteList) error {
	switch opts.output.form {
	case "json", "yaml":
		return writeReport(w, opts.output.form, list)
	case "names":
		for _, r := range list.Sites {
			if _, err := fmt.Fprintln(w, r.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list.Sites) == 0 {
		text := "The fleet has no site."
		if opts.Changed {
			text = fmt.Sprintf("No site changed since %.10s.", list.Since)
		}
		_, err := fmt.Fprintln(w, text)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "SITE\tWAVE\tPROVIDER\tVERSION\tLABELS"
	if opts.Changed {
		head += "\tCHANGE"
	}
	fmt.Fprintln(t, head)
	for _, r := range list.Sites {
		fmt.Fprintln(t, strings.TrimRight(r.line(), "\t"))
	}
	return t.Flush()
}

func (r siteRow) line() string {
	if !r.Valid {
		return strings.Join([]string{r.Name, "?", "?", "?", "cannot be read", r.Change}, "\t")
	}
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
		labels = append(labels, k+"="+r.Labels[k])
	}
	return strings.Join([]string{r.Name, fmt.Sprint(r.Wave), string(r.Provider), cmp.Or(r.Version, "-"),
		cmp.Or(strings.Join(labels, ","), "-"), r.Change}, "\t")
}
