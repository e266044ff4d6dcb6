package readiness

import (
	"path"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

// ruleNames are the names of findings that no file of risks brings, sorted. What stops a plan by itself ("plan") and what is said of
// acceptances can't be accepted.
func ruleNames() []string {
	return []string{"certificate", "chart", "definition", "deprecated-api", lifecycle.RuleEtcdCorrupt, lifecycle.RuleEtcdMember,
		lifecycle.RuleEtcdPace, lifecycle.RuleEtcdSpace, lifecycle.RuleClock, "machine-disk", "machine-memory", lifecycle.RuleNotSeen,
		"pods-fit-nowhere", "pods-judged-by-policy", "pods-may-not-fit", "pods-refused", "removed-api", "setting",
		"unlike-its-siblings", "webhook-down", "webhook-on-few-nodes"}
}

// Names are the names of all that may be found at a fleet's sites, its own risks among them. A file of these that can't be read counts by
// its name: what is wrong with it is told of the file.
func Names(own *lifecycle.Answer[[]lifecycle.RiskFile]) []string {
	names := ruleNames()
	for _, r := range risks.Known() {
		names = append(names, r.ID)
	}
	if own != nil {
		for _, f := range own.Value {
			names = append(names, strings.TrimSuffix(path.Base(f.Path), ".yaml"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// RiskMistakes are what is wrong with a fleet's own files of risks. It stops nothing: the other files are used.
func RiskMistakes(own *lifecycle.Answer[[]lifecycle.RiskFile]) lifecycle.Diagnostics {
	if own == nil {
		return nil
	}
	if !own.Known() {
		return lifecycle.Diagnostics{lifecycle.Warnf("risks", "the fleet's own risks can't be read").Because(own.Unknown)}
	}
	var ds lifecycle.Diagnostics
	for _, file := range own.Value {
		_, mistakes := risks.Read(file.Path, file.Text)
		for _, m := range mistakes {
			ds = append(ds, lifecycle.Warnf(m.Where(), "%s", unusable(m)).Try(schemaOfRisks))
		}
	}
	return ds
}

// unusable says what is wrong with a file of risks, and schemaOfRisks what to do.
func unusable(m risks.Mistake) string {
	return "a file of known risks can't be used: " + lifecycle.Harmless(m.Text)
}

const schemaOfRisks = "Mend the file. The schema of such files: kiban schema risk"
