package main

import (
	"io"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/render"
)

// showVerdicts writes what was found in the form that was asked for. Beside a report for GitLab the findings go to the job's log too.
func showVerdicts(opts *validateOptions, verdicts []forge.SiteFindings, all lifecycle.Diagnostics) error {
	a := opts.app
	if opts.output.data() {
		return writeReport(a.Out, opts.output.form, verdicts)
	}
	a.findings(render.AcrossSites(all))
	switch opts.output.form {
	case "codequality":
		return forge.CodeQuality(a.Out, verdicts)
	case "junit":
		return forge.JUnit(a.Out, verdicts)
	}
	return forge.Verdicts(a.Out, verdicts)
}

// showReach says what changed of what sites share, and whom it concerns: below the verdicts, or in the job's log beside a report.
func showReach(opts *validateOptions, list fleets.List) error {
	a := opts.app
	if !opts.Changed {
		return nil
	}
	text := list.Reached()
	if len(list.Sites) == 0 {
		text = list.None(true, opts.By) + "\n" + text
	}
	out := a.Err
	if opts.output.form == "text" {
		out = a.Out
	}
	_, err := io.WriteString(out, text)
	return err
}
