package posix_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// alone counts the writes that began while another one was under way.
type alone struct{ inside, broken atomic.Int64 }

func (a *alone) Write(p []byte) (int, error) {
	if a.inside.Add(1) > 1 {
		a.broken.Add(1)
	}
	for range 100 {
		runtime.Gosched()
	}
	a.inside.Add(-1)
	return len(p), nil
}

// Of a pipeline all parts run at once and complain to the same standard error: what one says must not be lost under what another says.
func TestPartsOfAPipelineWriteInTurns(t *testing.T) {
	user := nobody
	user.Home = "/w"
	m := newMachine(t.TempDir(), user)
	var errs alone
	for range 50 {
		m.Login(t.Context(), user.Name, "nosuch1 | nosuch2 | nosuch3 | nosuch4", strings.NewReader(""), &errs, &errs)
	}
	if n := errs.broken.Load(); n > 0 {
		t.Errorf("%d writes began while another one was under way", n)
	}
}
