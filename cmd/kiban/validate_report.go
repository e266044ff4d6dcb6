package main

import (
	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

// showVerdicts writes what was found in the form that was asked for. Beside a report for GitLab the findings go to the job's log too.
func showVerdicts(opts *validateOptions, verdicts []forge.SiteFindings, all lifecycle.Diagnostics) error {
	a := opts.app
	if opts.output.data() {
		return writeReport(a.Out, opts.output.form, verdicts)
	}
	a.findings(all)
	switch opts.output.form {
	case "codequality":
		return forge.CodeQuality(a.Out, verdicts)
	case "junit":
		return forge.JUnit(a.Out, verdicts)
	}
	return forge.Verdicts(a.Out, verdicts)
}
