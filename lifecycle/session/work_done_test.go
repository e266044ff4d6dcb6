package session

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
)

// The work is done when the operator presses Enter; an interrupt and a terminal that goes away leave the machine out of service.
func TestWorkDone(t *testing.T) {
	step := lifecycle.Step{ID: "worker-1/await", Target: "worker-1", Action: lifecycle.ActionAwait}
	wait := func(in io.Reader, stop <-chan struct{}) error {
		return WorkDone(in, "lab", stop)(t.Context(), step)
	}
	if err := wait(strings.NewReader("\n"), nil); err != nil {
		t.Errorf("Enter: %v", err)
	}
	if err := wait(strings.NewReader(""), nil); err == nil {
		t.Error("a terminal that is gone passes for an answer")
	}
	stop := make(chan struct{})
	close(stop)
	silent, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer w.Close()
	err = wait(silent, stop)
	if !errors.Is(err, apply.ErrInterrupted) {
		t.Errorf("an interrupt: %v", err)
	}
	if ds := lifecycle.AsDiagnostics(err, ""); !strings.Contains(ds[0].Hint, "kiban node uncordon lab worker-1") {
		t.Errorf("the way on can't be typed: %q", ds[0].Hint)
	}
}
