package session_test

import (
	"os"
	"testing"
)

// TestExampleUpgradesALab runs the example on the site "lab" of a fleet. The end-to-end suite does (lab/e2e/library_test.go); by itself
// there is no lab.
func TestExampleUpgradesALab(t *testing.T) {
	fleet := os.Getenv("KIBAN_EXAMPLE_FLEET")
	if fleet == "" {
		t.Skip("KIBAN_EXAMPLE_FLEET names no fleet with a lab behind it")
	}
	if err := upgrade(t.Context(), fleet, "lab"); err != nil {
		t.Fatal(err)
	}
}
