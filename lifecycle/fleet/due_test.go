package fleet

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA3_DueIsWhatWasMerged: a schedule takes up what a merge request brought, and neither what differs since that was carried out nor
// what somebody stopped.
func TestA3_DueIsWhatWasMerged(t *testing.T) {
	ran := func(result lifecycle.RunResult, doing, digest string) func(*Collected) {
		return func(c *Collected) {
			run := lifecycle.RunRecord{ID: "r1", Doing: doing, Result: result, Digest: digest}
			c.Runs = Part[[]lifecycle.RunRecord]{At: noon, Value: []lifecycle.RunRecord{run}}
		}
	}
	for name, tt := range map[string]struct {
		edit func(*Collected)
		due  bool
		says string
	}{
		"never applied":                 {nil, true, ""},
		"applied as it was before":      {ran(lifecycle.RunDone, "apply", "sha256:former"), true, ""},
		"a window closed on its run":    {ran(lifecycle.RunBlocked, "apply", "sha256:a"), true, ""},
		"its job was killed":            {ran(lifecycle.RunUnended, "apply", "sha256:a"), true, ""},
		"a backup since":                {ran(lifecycle.RunDone, "backup", "sha256:a"), true, ""},
		"changed by hand since":         {ran(lifecycle.RunDone, "apply", "sha256:a"), false, "is in no merge request"},
		"somebody stopped it":           {ran(lifecycle.RunInterrupted, "apply", "sha256:a"), false, "was stopped"},
		"stopped, and merged otherwise": {ran(lifecycle.RunInterrupted, "apply", "sha256:former"), true, ""},
		"as declared":                   {done, false, ""},
		"it failed":                     {failed, false, ""},
	} {
		f := fleetOfSites(map[string]func(*Collected){"1/a": tt.edit})
		site := f.Declared["a"]
		site.Digest = "sha256:a"
		f.Declared["a"] = site
		c := f.Known["a"]
		c.Declared.Value.Digest = "sha256:a"
		f.Known["a"] = c
		sites, left := f.Due()
		if slices.Contains(sites, "a") != tt.due || (len(left) > 0) != (tt.says != "") {
			t.Errorf("%s: due %v, left %v", name, sites, left)
		}
		if tt.says != "" && (!strings.Contains(left.Error(), tt.says) || left[0].Hint == "" ||
			left[0].Severity != lifecycle.SeverityWarning) {
			t.Errorf("%s: %+v", name, left)
		}
	}
}
