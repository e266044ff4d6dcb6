package session

import (
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/site"
)

// ReadLifts reads which failures hold no site of a fleet any more.
func ReadLifts(fleet string) ([]lifecycle.Lift, lifecycle.Diagnostics) { return site.ReadLifts(fleet) }

// Lift adds one to them.
func Lift(fleet string, l lifecycle.Lift) error {
	content, err := site.Lifted(fleet, l)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(fleet, lifecycle.HoldsFile), content, 0o644) // a file of the repository
}
