package k0s

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestJoinTellsOfACrashLoop: a join that is waited for in vain says so while it waits, once, and the finding does.
func TestJoinTellsOfACrashLoop(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize", "w1/stage")
	f.fakes["c1"].write("token", token(t), 0o600)
	f.fakes["w1"].write("crash", "", 0o600)
	ctx, cancel := context.WithCancelCause(t.Context())
	v, _ := lifecycle.ParseVersion(v135)
	var told []string
	err := s.Do(ctx, lifecycle.Step{ID: "w1/join-worker", Target: "w1", Action: lifecycle.ActionJoinWorker, Version: v}, func(does string) {
		if told = append(told, does); strings.Contains(does, "does not stay up") {
			cancel(errors.New("interrupted"))
		}
	})
	want := "still waiting, but k0s does not stay up on w1: systemd has restarted it 7 times. kiban node logs farm w1 says why"
	if len(told) == 0 || told[len(told)-1] != want {
		t.Errorf("told %q", told)
	}
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != "the machine has not joined: k0s does not stay up on it" ||
		!strings.Contains(d.Detail, "systemd has restarted it 7 times.") || !strings.Contains(d.Hint, "kiban node logs farm w1") {
		t.Errorf("the finding: %v", err)
	}
}

func TestJoinWait(t *testing.T) {
	up := lifecycle.HostState{Service: lifecycle.ServiceRunning}
	loop := lifecycle.HostState{Service: lifecycle.ServiceStarting, Restarts: 3}
	gone := lifecycle.HostState{Service: lifecycle.ServiceFailed}
	late := errors.New("its own credentials did not come within 5m0s")
	for _, tt := range []struct {
		name  string
		looks []lifecycle.HostState
		tells int
		says  string // in the finding
	}{
		{"it stays up", []lifecycle.HostState{up, up}, 0, ""},
		{"two restarts are no loop", []lifecycle.HostState{{Service: lifecycle.ServiceStarting, Restarts: 2}}, 0, ""},
		{"it crashes again and again", []lifecycle.HostState{up, loop, loop}, 1, "systemd has restarted it 3 times."},
		{"it answers between two restarts", []lifecycle.HostState{{Service: lifecycle.ServiceRunning, Restarts: 4,
			Running: lifecycle.Version{Major: 1}}}, 1, "systemd has restarted it 4 times."},
		{"systemd gave up", []lifecycle.HostState{loop, gone}, 1, "systemd has given it up."},
		{"it was mended meanwhile", []lifecycle.HostState{loop, up}, 1, ""},
	} {
		w, tells := joinWait{site: "lab", host: "w1"}, 0
		for _, h := range tt.looks {
			if w.saw(h) != "" {
				tells++
			}
		}
		err := w.finding(late)
		if tells != tt.tells || !errors.Is(err, late) || (tt.says == "") != (err == late) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: told %d times, %v", tt.name, tells, err)
		}
		if w.finding(nil) != nil {
			t.Errorf("%s: a join that came has a finding", tt.name)
		}
	}
}
