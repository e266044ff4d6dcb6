package lifecycle

import (
	"slices"
	"testing"
	"time"
)

func TestGist(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"back-off grows", "container web: CrashLoopBackOff: back-off 10s restarting failed container=web pod=web-x_shop(1)",
			"container web: CrashLoopBackOff: back-off 2m40s restarting failed container=web pod=web-x_shop(1)", true},
		{"restarts are counted", "pod web-x: restarted 3 times", "pod web-x: restarted 4 times", true},
		{"in the other order", "restart count: 3", "restart count: 12", true},
		{"events add up", "BackOff (x3 over 2m)", "BackOff (x12 over 3m10s)", true},
		{"a window comes nearer", "the next opens Mon 2 Jan 15:04 UTC, in 3h20m0s", "the next opens Mon 2 Jan 15:04 UTC, in 3h19m0s", true},
		{"and nearer", "the next opens Mon 9 Jan 15:04 UTC, in 5 days 1 h", "the next opens Mon 9 Jan 15:04 UTC, in 59 min", true},
		{"a retry later", "not ready for it yet (connection refused); trying again in 2s",
			"not ready for it yet (connection refused); trying again in 4s", true},
		{"spaces", "a  b\n", "a b", true},
		{"another reason", "container web: CrashLoopBackOff: back-off 10s", "container web: ImagePullBackOff: back-off 10s", false},
		{"another exit code", "it ended with code 1: Error", "it ended with code 137: OOMKilled", false},
		{"more pods are ready", "2 of 4 pods are ready", "3 of 4 pods are ready", false},
		{"another pod", "pod web-1: it is Pending", "pod web-2: it is Pending", false},
		{"another amount", "exceeded quota: requested cpu=500m", "exceeded quota: requested cpu=700m", false},
		{"another version", "answers v1.35.7+k0s.0", "answers v1.36.3+k0s.2", false},
		{"another moment", "steady since 12:03:10", "steady since 12:03:14", false},
		{"another address", "dial tcp 10.0.0.1:6443: refused", "dial tcp 10.0.0.2:6443: refused", false},
		{"a name that ends like a duration", "on rack-5m: 1 of 2", "on rack-6m: 1 of 2", false},
	} {
		if got := Gist(tt.a) == Gist(tt.b); got != tt.same {
			t.Errorf("%s: %q and %q: the same is %v, want %v", tt.name, Gist(tt.a), Gist(tt.b), got, tt.same)
		}
	}
}

// A pod that crashes again and again says few things often; what is new among them is told at once.
func TestWaitingTellsWhatIsNew(t *testing.T) {
	const crash, ended, runs = "CrashLoopBackOff: back-off 10s", "it ended with code 1", "it runs and is not Ready"
	var w Waiting
	var told []string
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, say := range []struct {
		at     time.Duration
		reason string
	}{
		{0, runs}, {1, ended}, {2, crash}, {5, "CrashLoopBackOff: back-off 20s"}, {20, runs}, {21, ended}, {22, "CrashLoopBackOff: back-off 40s"},
		{30, "ImagePullBackOff"}, {31, crash}, {32, "CrashLoopBackOff: back-off 5m0s"}, {70, runs}, {71, runs}, {72, "3 of 4 pods are ready"},
	} {
		if w.News(say.reason, start.Add(say.at*time.Second)) {
			told = append(told, say.reason)
		}
	}
	if want := []string{runs, ended, crash, "ImagePullBackOff", runs, "3 of 4 pods are ready"}; !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
}
