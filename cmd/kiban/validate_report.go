package main

import (
	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// showVerdicts writes what was found in the form that was asked for. Beside a report for GitLab the findings go to the job's log too.
func showVerdicts(opts *validateOptions, verdicts []verdict, all lifecycle.Diagnostics) error {
	a := opts.app
	if opts.output.form == "json" {
		return writeJSON(a.Out, verdicts)
	}
	a.findings(all)
	switch opts.output.form {
	case "codequality":
		return render.CodeQuality(a.Out, siteFindings(verdicts))
	case "junit":
		return render.JUnit(a.Out, siteFindings(verdicts))
	}
	return writeVerdicts(a.Out, verdicts)
}

func siteFindings(verdicts []verdict) []render.SiteFindings {
	out := make([]render.SiteFindings, len(verdicts))
	for i, v := range verdicts {
		out[i] = render.SiteFindings{Site: v.Site, Diagnostics: v.Diagnostics}
	}
	return out
}
