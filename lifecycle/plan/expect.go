package plan

import (
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Expect reckons how long a plan takes at a site: an action that the site's own runs know takes as long as it did there, any other as long
// as in a twin of the site; so does a drain, which the twin plays with the very pods. unknown names the actions that no run of the site has
// told of.
func Expect(p lifecycle.Plan, runs []lifecycle.RunRecord, twin map[string]time.Duration) (total time.Duration, unknown []lifecycle.Action) {
	took := func(s lifecycle.Step) time.Duration {
		there, _ := averageOf(s.Action, runs)
		if s.Action == lifecycle.ActionDrain || there == 0 {
			if there == 0 && s.Action.Lasts() != lifecycle.LastsMoment && !slices.Contains(unknown, s.Action) {
				unknown = append(unknown, s.Action)
			}
			return twin[s.ID]
		}
		return there
	}
	for _, s := range p.Stages {
		total += stageTakes(s, p, took)
	}
	return total, unknown
}
