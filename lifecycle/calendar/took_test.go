package calendar

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestTook(t *testing.T) {
	began := date("2026-11-01")
	v := func(minor, patch int) []lifecycle.Version {
		return []lifecycle.Version{{Major: 1, Minor: minor, Patch: patch}}
	}
	run := func(took time.Duration, before, after []lifecycle.Version) lifecycle.RunRecord {
		return lifecycle.RunRecord{Began: began, Ended: began.Add(took), Result: lifecycle.RunDone, Before: before, After: after, Machines: 6}
	}
	changed := func(r lifecycle.RunRecord, change func(*lifecycle.RunRecord)) lifecycle.RunRecord {
		change(&r)
		return r
	}
	minor := run(4*time.Hour, v(35, 7), v(36, 2))
	both := []lifecycle.Version{v(35, 7)[0], v(36, 2)[0]}
	for _, tt := range []struct {
		name string
		runs []lifecycle.RunRecord
		want time.Duration
	}{
		{"no record", nil, 0},
		{"one", []lifecycle.RunRecord{minor}, 4 * time.Hour},
		{"the longest", []lifecycle.RunRecord{run(time.Hour, v(34, 1), v(35, 7)), minor}, 4 * time.Hour},
		{"two minors at once", []lifecycle.RunRecord{run(6*time.Hour, v(34, 1), v(36, 2))}, 3 * time.Hour},
		{"a patch tells of a minor", []lifecycle.RunRecord{run(2*time.Hour, v(35, 6), v(35, 7))}, 2 * time.Hour},
		{"but less than a minor does", []lifecycle.RunRecord{run(9*time.Hour, v(35, 6), v(35, 7)), minor}, 4 * time.Hour},
		{"half of the machines that there are now", []lifecycle.RunRecord{changed(minor, func(r *lifecycle.RunRecord) { r.Machines = 3 })},
			8 * time.Hour},
		{"one that failed", []lifecycle.RunRecord{changed(minor, func(r *lifecycle.RunRecord) { r.Result = lifecycle.RunFailed })}, 0},
		{"what is left of one", []lifecycle.RunRecord{run(time.Hour, both, v(36, 2))}, 0},
		{"a part of one", []lifecycle.RunRecord{run(time.Hour, v(35, 7), both)}, 0},
		{"one that changed no version", []lifecycle.RunRecord{run(time.Hour, v(35, 7), v(35, 7))}, 0},
		{"a way back", []lifecycle.RunRecord{run(time.Hour, v(36, 2), v(35, 7))}, 0},
		{"something else than an apply", []lifecycle.RunRecord{changed(minor, func(r *lifecycle.RunRecord) { r.Doing = "backup" })}, 0},
		{"a clock that went back", []lifecycle.RunRecord{run(-time.Hour, v(35, 7), v(36, 2))}, 0},
	} {
		if got := Took(tt.runs, 6); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
