package render

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// RunList shows runs, one a line; of several sites, with whose they are.
func RunList(w io.Writer, runs []lifecycle.ListedRun, several bool, style Style) error {
	head, rows := "RUN\tBEGAN (UTC)\tTOOK\tBY\tDID\tRESULT\tSTEPS\tK0S\tREVISION\tREVIEWED\tKEPT", make([]string, len(runs))
	for i, r := range runs {
		rows[i] = row(r.ID, r.Began.UTC().Format("2006-01-02 15:04:05"), Duration(r.Ended.Sub(r.Began)), operator(r.RunRecord), did(r.RunRecord),
			style.paint(resultColor(r.Result), string(r.Result)), fmt.Sprintf("%d of %d", r.Done, r.Steps), RunVersions(r.RunRecord),
			lifecycle.ShortRevision(r.Revision), reviewed(r.Review), kept(r))
		if several {
			rows[i] = r.Site + "\t" + rows[i]
		}
	}
	if several {
		head = "SITE\t" + head
	}
	return Table(w, style, head, rows)
}

// did is the verb that ran, and on what: "apply", "node cordon worker-3". Its revision has a column of its own.
func did(r lifecycle.RunRecord) string {
	verb, _, _ := strings.Cut(r.Doing, " of revision ")
	return verb
}

func kept(r lifecycle.ListedRun) string {
	switch {
	case r.Here && r.Cluster:
		return "here, cluster"
	case r.Cluster:
		return "cluster"
	}
	return "here"
}

// operator says "ann@laptop", and of a pipeline "ann, job 4711".
func operator(r lifecycle.RunRecord) string {
	switch {
	case strings.Contains(r.Where, "://"):
		return strings.TrimPrefix(r.Who+", job "+path.Base(r.Where), ", ")
	case r.Who == "" || r.Where == "":
		return r.Who + r.Where
	}
	return r.Who + "@" + r.Where
}

// reviewed says in a few words what a run went by: "!42 by ann, approved by bob", "no, 3 accepted".
func reviewed(r *lifecycle.Review) string {
	if r == nil {
		return ""
	}
	said := "no"
	if r.Plan != "" {
		said = "yes"
		if _, number, found := strings.Cut(r.Where, "/merge_requests/"); found {
			said = "!" + number
		}
		if r.MergedBy != "" {
			said += " by " + r.MergedBy
		}
		if len(r.ApprovedBy) > 0 {
			said += ", approved by " + strings.Join(r.ApprovedBy, ", ")
		}
	}
	if n := len(r.Accepted); n > 0 {
		said += fmt.Sprintf(", %d accepted", n)
	}
	return said
}

// RunVersions says "v1.35.7+k0s.0 -> v1.36.3+k0s.2", or the version where none changed. Of a run that did not come to its aim it names that
// all the same.
func RunVersions(r lifecycle.RunRecord) string {
	before, after := versionList(r.Before), versionList(r.After)
	switch {
	case !r.Aim.IsZero() && !slices.Contains(r.After, r.Aim):
		return cmp.Or(before, "none") + " -> " + r.Aim.String() + ", not reached"
	case before == after:
		return before
	case before == "":
		return "none -> " + after
	case after == "":
		return before + " -> none"
	}
	return before + " -> " + after
}

func versionList(vs []lifecycle.Version) string {
	names := make([]string, len(vs))
	for i, v := range vs {
		names[i] = v.String()
	}
	return strings.Join(names, ", ")
}

func resultColor(r lifecycle.RunResult) string {
	switch r {
	case lifecycle.RunDone:
		return codeGreen
	case lifecycle.RunFailed:
		return codeRed
	}
	return codeYellow
}

func dash(s string) string {
	if strings.TrimSpace(s) == "" {
		return "-"
	}
	return s
}

// RunText tells a past run again, in the lines that a log had of it.
func RunText(w io.Writer, events []lifecycle.Event, style Style) error {
	sink := Plain(w, style)
	for _, e := range events {
		if err := sink(e); err != nil {
			return err
		}
	}
	if len(events) == 0 || ended(events) {
		return nil
	}
	last := events[len(events)-1]
	_, err := fmt.Fprintf(w, "%s %s: %s\n", style.paint(codeDim, clock(last.Time.Sub(events[0].Time))), last.Site, NoEnd)
	return err
}

// NoEnd is told of a run whose journal does not say how it ended.
const NoEnd = "the journal ends here: the run is under way, or was killed"

func ended(events []lifecycle.Event) bool {
	for _, e := range events {
		if e.Kind == lifecycle.EventSummary {
			return true
		}
	}
	return false
}
