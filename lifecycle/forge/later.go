package forge

import (
	"context"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// due leaves of a list the sites that may go now for what was merged, each with the change that brought that. A site whose change is not
// found has a job all the same: what was reviewed is looked for with the pipeline's own commit then, and apply refuses what that did not
// show.
func (r Repository) due(ctx context.Context, list fleet.List, facts fleet.Facts) (fleet.List, map[string]fleet.Brought, error) {
	names, left := facts.Due()
	listed, due := setOf(list.Names()), setOf(names)
	r.Warn(slices.DeleteFunc(left, func(d lifecycle.Diagnostic) bool { return !listed[d.Subject] }))
	list.Sites = slices.DeleteFunc(slices.Clone(list.Sites), func(row fleet.Row) bool { return !due[row.Name] })
	r.Note("%s.", fleet.Next(facts).Summary())
	brought, err := r.Source.Brought(ctx, r.Dir, list.Names())
	for _, name := range list.Names() {
		if why := brought[name].Unknown; why != "" {
			r.Warn(lifecycle.Diagnostics{lifecycle.Warnf(name, "which merge request brought what is declared of %s is not known", name).
				Because("Its last change was not found: " + why).
				Try("Give the job the whole history (GIT_DEPTH: \"0\"). Else accept the plan by the ID that the job shows, " +
					"or have it reviewed in a merge request.")})
		}
	}
	return list, brought, err
}

func setOf(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}

// formerOf are the labels that sites had before their last change: one that was production then, or was not there, waits for somebody to
// start it, however long ago that was merged.
func formerOf(brought map[string]fleet.Brought) FormerLabels {
	return func(site string) (map[string]string, bool) {
		b := brought[site]
		return b.Labels, b.Known
	}
}

// OneFile writes a pipeline into one file. What is too much for that is left: a schedule takes up the rest. left are the sites without a
// job.
func OneFile(p lifecycle.Pipeline, write func(lifecycle.Pipeline) (string, []lifecycle.PipelinePart, error)) (text string, left []string,
	err error) {
	sites := p.Sites
	for n := len(sites); ; n /= 2 {
		p.Sites = sites[:n]
		text, parts, err := write(p)
		if err != nil || len(parts) == 0 || n <= 1 {
			for _, s := range sites[n:] {
				left = append(left, s.Name)
			}
			return text, left, err
		}
	}
}
