package scaffold

import (
	"fmt"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// Removal is an overlay that is to leave the fleet, and what of it could be had back. Nothing is deleted before Do.
type Removal struct {
	fleet, name string
	// lost are the files that git does not have as they are; has is how many it gives back, changed ones as they were. unknown says why
	// that can't be told.
	lost    []string
	has     int
	unknown error
}

// Remove looks at what of a site's overlay git has: unkept gives the files below a folder that it does not have as they are, and how many
// it gives back.
func Remove(fleet, name string, unkept func(folder string) (lost []string, has int, err error)) Removal {
	r := Removal{fleet: fleet, name: name}
	r.lost, r.has, r.unknown = unkept(r.folder())
	return r
}

func (r Removal) folder() string { return filepath.Join(r.fleet, "overlays", r.name) }

// Final reports whether something of it may be gone for good.
func (r Removal) Final() bool { return len(r.lost) > 0 || r.unknown != nil }

// Warning says what is deleted, and what of it git can't give back.
func (r Removal) Warning() string {
	text := fmt.Sprintf("This deletes overlays/%s. Its machines are not touched: the cluster goes on running, and nobody looks after it "+
		"any more.", r.name)
	switch {
	case r.unknown != nil:
		return text + fmt.Sprintf("\nWhether git has its files is not known, so they may be gone for good: %s", lifecycle.InWords(r.unknown))
	case len(r.lost) > 0 && r.has == 0:
		return text + "\nGit has none of its files, and they are gone for good: " + lifecycle.Few(r.lost) + "."
	case len(r.lost) > 0:
		return text + "\nGit does not have these of its files as they are, and what is new in them is gone for good: " +
			lifecycle.Few(r.lost) + "."
	}
	return text
}

// Question asks for the site's name.
func (r Removal) Question() string {
	if r.Final() {
		return "Commit what is to be kept first. To delete it for good, type the site's name: "
	}
	return "Type the site's name to take it out of the fleet: "
}

// Do deletes the overlay, and says what is to be known then.
func (r Removal) Do() (string, error) {
	if err := os.RemoveAll(r.folder()); err != nil {
		return "", lifecycle.Errorf("overlays/"+r.name, "the overlay could not be deleted whole").From(err).
			Try("Delete what is left by hand." + r.back(" What is gone, as far as git has it,"))
	}
	text := fmt.Sprintf("overlays/%s is gone. No machine was touched.", r.name)
	if r.Final() {
		return text + r.back(" What git has of it"), nil
	}
	return text + r.back(" It"), nil
}

// back is the way to have back what git has; "" where that is nothing.
func (r Removal) back(what string) string {
	if r.has == 0 && r.unknown == nil {
		return ""
	}
	git := []string{"git"}
	if wd, err := os.Getwd(); err != nil || filepath.Clean(r.fleet) != wd && r.fleet != "." {
		git = append(git, "-C", r.fleet)
	}
	return what + " comes back with: " + lifecycle.ShellWords(append(git, "checkout", "--", "overlays/"+r.name)...)
}
