package prelude

import (
	"os/exec"
	"testing"
)

// TestNoProgramIsFoundUntilOver: what libraries look for while they set themselves up is not there, and is there for everything later.
func TestNoProgramIsFoundUntilOver(t *testing.T) {
	const always = "sh"
	if path, err := exec.LookPath(always); err == nil {
		t.Errorf("before main, %s was to be found: this package came too late", path)
	}
	if Over() {
		t.Error("it says that it was over already")
	}
	if _, err := exec.LookPath(always); err != nil {
		t.Error("the search path was not given back:", err)
	}
	t.Setenv("PATH", "")
	if _, err := exec.LookPath(always); !Over() || err == nil {
		t.Error("what is over changed the search path again")
	}
}
