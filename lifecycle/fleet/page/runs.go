package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
)

// lately is how far back "what changed last night" goes.
const lately = 24 * time.Hour

// runsShown is how many runs the page of runs has.
const runsShown = 1000

func changed() question {
	recent := func(s site) (out []lifecycle.RunRecord) {
		for _, r := range s.Runs.Value {
			if r.Done > 0 && s.now.Sub(r.Ended) <= lately {
				out = append(out, r)
			}
		}
		return out
	}
	return question{file: "changed.html", title: "What changed last night?", label: "changed in 24 hours",
		lead: []string{"Sites where a run did something in the " + lifecycle.Span(lately) +
			" before the moment of these pages. All runs are on the page of runs."},
		of: func(s site) holds {
			return held(s, s.Runs, func([]lifecycle.RunRecord) bool { return len(recent(s)) > 0 })
		},
		head: []string{"Site", "Ended", "Run", "What", "Versions", "Result", "Steps", "By"},
		row: func(s site) []Cell {
			all := recent(s)
			cells := s.runCells(all[0])
			if more := len(all) - 1; more > 0 {
				cells[3].Text += fmt.Sprintf(" (and %s before)", lifecycle.Count(more, "run"))
			}
			return cells
		},
		less: func(a, b site) int { return recent(b)[0].Ended.Compare(recent(a)[0].Ended) },
	}
}

// runCells are a run in a row, with its site.
func (s site) runCells(r lifecycle.RunRecord) []Cell {
	return []Cell{s.name(), {Text: lifecycle.Stamp(r.Ended), Key: r.Ended.UTC().Format(time.RFC3339)}, runCell(r), {Text: what(r)},
		versionsOf(r),
		{Text: string(r.Result), Mark: s.markOfRuns(runMark(r.Result))}, stepsOf(r), byOf(r)}
}

// runCell names a run, and leads to the job that it ran in where that is known.
func runCell(r lifecycle.RunRecord) Cell { return Cell{Text: r.ID, Link: secure(r.Where)} }

// secure is an https address as it is, and nothing for anything else.
func secure(address string) string {
	if strings.HasPrefix(address, "https://") && !strings.ContainsAny(address, " \t\r\n\"'<>\\") {
		return address
	}
	return ""
}

func what(r lifecycle.RunRecord) string {
	text := cmp.Or(r.Doing, "apply")
	if r.Revision != "" && !strings.Contains(text, "revision") {
		text += " of " + lifecycle.ShortRevision(r.Revision)
	}
	return text
}

func versionsOf(r lifecycle.RunRecord) Cell {
	return Cell{Text: strings.ReplaceAll(render.RunVersions(r), "->", "→")}
}

func stepsOf(r lifecycle.RunRecord) Cell {
	text := fmt.Sprintf("%d of %d", r.Done, r.Steps)
	if r.Failed > 0 {
		text += fmt.Sprintf(", %d failed", r.Failed)
	}
	return Cell{Text: text, Key: numberKey(r.Done)}
}

func byOf(r lifecycle.RunRecord) Cell { return Cell{Text: cmp.Or(r.Who, "not known")} }

// siteRun is a run with its site.
type siteRun struct {
	site
	lifecycle.RunRecord
}

// allRuns are the runs that are known of all sites, the newest first.
func allRuns(sites []site) []siteRun {
	var all []siteRun
	for _, s := range sites {
		for _, r := range s.Runs.Value {
			all = append(all, siteRun{s, r})
		}
	}
	slices.SortStableFunc(all, func(a, b siteRun) int { return b.Ended.Compare(a.Ended) })
	return all
}

func runsPage(in Input, sites []site) Doc {
	all := allRuns(sites)
	d := Doc{File: "runs.html", Title: "Runs", Lead: []string{"What the clusters keep of their runs: the last " +
		fmt.Sprint(fleet.RunsKept) +
		" of each. A run leads to its job, where that is known; kiban show SITE RUN tells it in full."},
		Sections: []Section{delivery(sites, in.Committed)}}
	t := &Table{Head: []string{"Site", "Ended", "Run", "What", "Versions", "Result", "Steps", "By"}, Empty: "No run is known.", Search: true}
	for _, r := range all[:min(len(all), runsShown)] {
		t.Rows = append(t.Rows, r.runCells(r.RunRecord))
	}
	t.Caption = fmt.Sprintf("The last %d of %s, the newest first", len(t.Rows), lifecycle.Count(len(all), "run"))
	d.Sections = append(d.Sections, Section{ID: "runs", Title: "The last runs", Table: t})
	return d
}

// whyFailed says what failed, where, and why, as far as the record tells.
func whyFailed(r lifecycle.RunRecord) string {
	if len(r.Failures) == 0 {
		return "the record does not say"
	}
	text := r.Failures[0].Where + ": " + r.Failures[0].String()
	if more := len(r.Failures) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
