package lock

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// What a watcher may conclude, and what it may not.
func TestWatch(t *testing.T) {
	type look struct {
		at   time.Duration // after the first
		beat string
	}
	looks := func(every time.Duration, n int, beat func(i int) string) []look {
		var out []look
		for i := range n {
			out = append(out, look{at: time.Duration(i) * every, beat: beat(i)})
		}
		return out
	}
	still := func(int) string { return "1" }
	for _, tt := range []struct {
		name  string
		looks []look
		want  bool // of the last look
		alive bool
	}{
		{"silent for the whole duration", looks(time.Second, 32, still), true, false},
		{"silent for almost the whole", looks(time.Second, 30, still), false, false},
		{"renewed every 5 s", looks(time.Second, 120, func(i int) string { return string(rune('a' + i/5)) }), false, true},
		{"renewed once, late", append(looks(time.Second, 29, still), look{at: 29 * time.Second, beat: "2"},
			look{at: 30 * time.Second, beat: "2"}), false, true},
		{"the watcher was stopped for an hour", []look{{at: 0, beat: "1"}, {at: time.Second, beat: "1"}, {at: time.Hour, beat: "1"}}, false,
			false},
		{"the API was away for a minute", []look{{at: 0, beat: "1"}, {at: time.Minute, beat: "1"}, {at: time.Minute + time.Second, beat: "1"}},
			false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w Watch
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			got := false
			for _, l := range tt.looks {
				at := start.Add(l.at)
				got = w.Silent(lifecycle.Lock{Holder: "r", Epoch: 1, Beat: l.beat}, at, at.Add(10*time.Millisecond))
			}
			if got != tt.want {
				t.Errorf("silent: %v, want %v", got, tt.want)
			}
			if w.Alive() != tt.alive {
				t.Errorf("alive: %v, want %v", w.Alive(), tt.alive)
			}
		})
	}
	var w Watch
	start := time.Now()
	for i := range 60 {
		at := start.Add(time.Duration(i) * time.Second)
		if w.Silent(lifecycle.Lock{}, at, at) {
			t.Fatal("a lock that nobody holds has a silent holder")
		}
	}
}
