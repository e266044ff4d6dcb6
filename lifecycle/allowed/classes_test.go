package allowed

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Whoever lets another flag through learns here that it must be said what becomes of a change of it.
func TestEveryFlagIsClassified(t *testing.T) {
	table := lifecycle.ChangeTable()
	for name := range installFlags() {
		if !table.Knows(name) {
			t.Errorf("%s has no row in lifecycle/k0s_changes.txt", name)
		}
	}
}
