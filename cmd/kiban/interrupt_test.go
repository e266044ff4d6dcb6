package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestA9_ASecondSignalLeaves: a verb that is in what cannot be stopped does not keep the operator waiting. The first signal ends its
// context,
// one more ends the process.
func TestA9_ASecondSignalLeaves(t *testing.T) {
	signals, left := make(chan os.Signal), make(chan int, 1)
	services := (&fakeSite{}).services()
	services.LoadSite = func(ctx context.Context, _, _ string, _ session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		signals <- syscall.SIGTERM
		<-ctx.Done()
		signals <- syscall.SIGTERM
		if code := <-left; code != exitInterrupted {
			t.Errorf("it leaves with %d", code)
		}
		return lifecycle.Site{}, lifecycle.AsDiagnostics(ctx.Err(), "interrupted")
	}
	var out, errs strings.Builder
	streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" }, Signals: signals,
		Size: func() (int, int) { return 80, 24 }, Leave: func(code int) { left <- code }}
	code := run(t.Context(), streams, []string{"--fleet", t.TempDir(), "plan", "lab"}, services)
	if code != exitInterrupted || !strings.Contains(errs.String(), "stopping now") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

// TestSignalsSentTwiceAreOne: timeout(1) sends a signal to the program, and to its process group, in which it is again.
func TestSignalsSentTwiceAreOne(t *testing.T) {
	for name, c := range map[string]struct {
		apart time.Duration
		want  int
	}{"at once": {time.Hour, 1}, "one after the other": {0, 2}} {
		in := make(chan os.Signal, 2)
		in <- syscall.SIGTERM
		in <- syscall.SIGTERM
		close(in)
		got := 0
		for range spaced(in, c.apart) {
			got++
		}
		if got != c.want {
			t.Errorf("%s: %d interrupts, want %d", name, got, c.want)
		}
	}
}
