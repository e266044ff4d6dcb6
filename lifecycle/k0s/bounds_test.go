package k0s

import (
	"regexp"
	"testing"
)

// A fact or a block that the script prints and that has no bound is dropped without a word: its reader would see a machine that lacks it.
func TestEveryFactIsBounded(t *testing.T) {
	printed := map[string]map[string]bool{"fact": {}, "block": {}}
	commands := regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(factsScript, "")
	for _, m := range regexp.MustCompile(`(?m)(?:^|[\s;&|])(fact|block) ([a-z]+) `).FindAllStringSubmatch(commands, -1) {
		printed[m[1]][m[2]] = true
	}
	if len(printed["fact"]) < 15 || len(printed["block"]) < 5 {
		t.Fatalf("of the script only %v were found", printed)
	}
	bounded := counts(1)
	for name := range printed["fact"] {
		if bounded[name] == 0 {
			t.Errorf("fact %s has no bound: counts() must have it", name)
		}
	}
	for name := range printed["block"] {
		if blocks()[name].bytes == 0 {
			t.Errorf("block %s has no bound: blocks() must have it", name)
		}
	}
}
