package session

import (
	"errors"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestDifferences: somebody who saved no plan is not told of a saved one, but of what has changed.
func TestDifferences(t *testing.T) {
	stale := lifecycle.Errorf("lab", "the saved plan no longer holds").Because("- worker-1/upgrade: gone", "+ worker-2/upgrade: new")
	if got := differences(stale); got != "  - worker-1/upgrade: gone\n  + worker-2/upgrade: new" {
		t.Errorf("%q", got)
	}
	if got := differences(errors.New("no reason")); got != "  no reason" {
		t.Errorf("%q", got)
	}
}
