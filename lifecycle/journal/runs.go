package journal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Run is one run whose journal lies here.
type Run struct {
	// ID is the name of its file, without the ending; Site the folder that it lies in.
	ID, Site string
	Path     string
}

// Runs finds the journals of a site, or of every site when site is "", under root (.kiban/runs): newest first. No folder is no runs.
func Runs(root, site string) ([]Run, error) {
	sites := []string{site}
	if site == "" {
		entries, err := os.ReadDir(root)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("journal: %w", err)
		}
		sites = sites[:0]
		for _, e := range entries {
			if e.IsDir() {
				sites = append(sites, e.Name())
			}
		}
	}
	var out []Run
	for _, s := range sites {
		runs, err := runsOf(root, s)
		if err != nil {
			return nil, err
		}
		out = append(out, runs...)
	}
	// Ids begin with the time, so their order is that of the runs.
	slices.SortFunc(out, func(a, b Run) int { return cmp.Or(cmp.Compare(b.ID, a.ID), cmp.Compare(a.Site, b.Site)) })
	return out, nil
}

func runsOf(root, site string) ([]Run, error) {
	entries, err := os.ReadDir(filepath.Join(root, site))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var out []Run
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".jsonl")
		if !ok || e.IsDir() || strings.Contains(id, ".") { // <id>.commands.jsonl is no journal
			continue
		}
		out = append(out, Run{ID: id, Site: site, Path: filepath.Join(root, site, e.Name())})
	}
	return out, nil
}

// Find picks the runs that an operator can mean by name: the newest for "latest", else the one of that id, else all whose id begins so.
func Find(runs []Run, name string) []Run {
	if name == "latest" {
		return runs[:min(1, len(runs))]
	}
	var out []Run
	for _, r := range runs {
		if r.ID == name {
			return []Run{r}
		}
		if name != "" && strings.HasPrefix(r.ID, name) {
			out = append(out, r)
		}
	}
	return out
}

// Locate finds the journal that an operator means by the path of a file, or by a run's name, of a site or, when it is "", of any. root
// gives the folder of journals (.kiban/runs), where a name is to be looked for.
func Locate(name, site string, root func() (string, error)) (Run, error) {
	if strings.HasSuffix(name, ".jsonl") || strings.ContainsRune(name, filepath.Separator) {
		if _, err := os.Stat(name); err != nil {
			return Run{}, noRun(name, err.Error(), err)
		}
		return Run{ID: strings.TrimSuffix(filepath.Base(name), ".jsonl"), Path: name}, nil
	}
	dir, err := root()
	if err != nil {
		return Run{}, err
	}
	all, err := Runs(dir, site)
	if err != nil {
		return Run{}, err
	}
	found := Find(all, name)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, r := range found {
			names = append(names, r.ID+" of "+r.Site)
		}
		return Run{}, lifecycle.Errorf("", "%d runs begin with %q", len(found), name).
			Because(names...).
			Try("Name more of it, or the site: --site " + found[0].Site)
	}
	detail := fmt.Sprintf("There is no journal in %s", dir)
	if len(all) > 0 {
		detail = fmt.Sprintf("None of the %s in %s begins so", lifecycle.Count(len(all), "journal"), dir)
	}
	return Run{}, noRun(name, detail+". A run from elsewhere has its journal there; the cluster keeps a record only.", nil)
}

func noRun(name, detail string, cause error) error {
	return lifecycle.Errorf("", "no run %q", name).
		Because(detail).
		Try("kiban runs SITE lists them, and where they were run.").
		Hiding(cause)
}

// RecordOf reads a journal for the record of its run.
func RecordOf(r Run) (lifecycle.RunRecord, error) {
	events, err := Read(r.Path)
	if err != nil {
		return lifecycle.RunRecord{}, err
	}
	if len(events) == 0 {
		return lifecycle.RunRecord{}, fmt.Errorf("journal: %s holds no event", r.Path)
	}
	rec := Record(events)
	rec.ID, rec.Site = cmp.Or(rec.ID, r.ID), cmp.Or(rec.Site, r.Site)
	return rec, nil
}

// Whole reads a journal: all its events, and the record that they come to.
func Whole(r Run) (record lifecycle.RunRecord, events []lifecycle.Event, err error) {
	events, err = Read(r.Path)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("%s holds no event", r.Path)
	}
	if err != nil {
		return record, nil, lifecycle.Errorf(r.Path, "this journal can't be read").From(err)
	}
	return Record(events), events, nil
}

// Records are the records of a site's journals under root, newest first. A journal that can't be read is a warning: the others can.
func Records(root, site string) (records []lifecycle.RunRecord, unread lifecycle.Diagnostics, err error) {
	found, err := Runs(root, site)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range found {
		record, err := RecordOf(r)
		if err != nil {
			unread = append(unread, lifecycle.Warnf(r.Path, "a journal is left out").From(err))
			continue
		}
		records = append(records, record)
	}
	return records, unread, nil
}

// Merge puts the runs that are known here and those that the cluster keeps together, newest first. Of a run that both know, the journal
// says more.
func Merge(here, kept []lifecycle.RunRecord) []lifecycle.ListedRun {
	out := []lifecycle.ListedRun{}
	at := map[string]int{}
	for _, r := range here {
		at[r.ID] = len(out)
		out = append(out, lifecycle.ListedRun{RunRecord: r, Here: true})
	}
	for _, r := range kept {
		if i, known := at[r.ID]; known {
			out[i].Cluster = true
			continue
		}
		out = append(out, lifecycle.ListedRun{RunRecord: r, Cluster: true})
	}
	slices.SortStableFunc(out, func(a, b lifecycle.ListedRun) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	return out
}
