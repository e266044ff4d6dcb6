package session

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestPinnedBy: each step of the record may be done twice, and none opens or ends what another has.
func TestPinnedBy(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	from, to := lifecycle.Version{Major: 1, Minor: 35}, lifecycle.Version{Major: 1, Minor: 36}
	do := func(prev lifecycle.Pinned, a lifecycle.Action, after time.Duration) lifecycle.Pinned {
		return pinnedBy(prev, lifecycle.Step{Action: a, From: from, Version: to}, map[string]string{"api/v1/pods": "a"}, at.Add(after))
	}
	var none lifecycle.Pinned
	for _, a := range []lifecycle.Action{lifecycle.ActionSoak, lifecycle.ActionCommit, lifecycle.ActionUnpin} {
		if got := do(none, a, 0); got.Open() || !got.Since.IsZero() {
			t.Errorf("%s opens a record: %+v", a, got)
		}
	}
	pin := do(none, lifecycle.ActionPin, 0)
	if !pin.Open() || pin.Former != from || pin.To != to || pin.Storage["api/v1/pods"] != "a" {
		t.Errorf("pinned: %+v", pin)
	}
	if again := do(pin, lifecycle.ActionPin, time.Hour); !again.Since.Equal(at) {
		t.Errorf("pinned again: %+v", again)
	}
	soaks := do(do(pin, lifecycle.ActionSoak, time.Hour), lifecycle.ActionSoak, 2*time.Hour)
	if !soaks.Soaks.Equal(at.Add(time.Hour)) {
		t.Errorf("soaks since %s", soaks.Soaks)
	}
	done := do(do(soaks, lifecycle.ActionCommit, 3*time.Hour), lifecycle.ActionUnpin, 4*time.Hour)
	if done.Open() || done.End != lifecycle.EndCommit || !done.Ended.Equal(at.Add(3*time.Hour)) {
		t.Errorf("ended: %+v", done)
	}
	if next := do(done, lifecycle.ActionPin, 5*time.Hour); !next.Open() || !next.Soaks.IsZero() || next.End != "" {
		t.Errorf("the next one: %+v", next)
	}
}
