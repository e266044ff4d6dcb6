package bounded

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatTakesTooMuchIsLeft: what was given up is told to end, and nothing else is begun until it has.
func TestWhatTakesTooMuchIsLeft(t *testing.T) {
	endless := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		return 0, nil
	}
	left := func(ctx context.Context) { // holds what was made until it is given up, however busy the machine
		select {
		case <-ctx.Done():
			time.Sleep(50 * time.Millisecond)
		case <-time.After(time.Minute):
		}
	}
	grows := func(ctx context.Context) (int, error) {
		var kept [][]byte
		for ctx.Err() == nil && len(kept) < 256 {
			kept = append(kept, make([]byte, 1<<20))
		}
		left(ctx)
		runtime.KeepAlive(kept)
		return len(kept), nil
	}
	var calls func(ctx context.Context, n int) int
	calls = func(ctx context.Context, n int) int {
		var frame [1 << 10]byte
		if n == 0 || ctx.Err() != nil {
			left(ctx)
			return int(frame[n%len(frame)])
		}
		return calls(ctx, n-1) + int(frame[n%len(frame)])
	}
	for _, tt := range []struct {
		name, took string
		limits     Limits
		do         func(context.Context) (int, error)
	}{
		{"time", "longer than 20ms", Limits{Time: 20 * time.Millisecond}, endless},
		{"heap", "more than 16 MiB", Limits{Room: 16 << 20}, grows},
		{"stack", "more than 16 MiB", Limits{Room: 16 << 20}, func(ctx context.Context) (int, error) { return calls(ctx, 300_000), nil }},
	} {
		runtime.GC() // what the one before has left would count as held before
		_, err := Do(t.Context(), tt.name, tt.limits, tt.do)
		if given, ok := errors.AsType[GivenUp](err); !ok || given.What != tt.name || given.Took != tt.took || len(given.Beside) != 0 {
			t.Errorf("%s: %v", tt.name, err)
		}
		_, err = Do(t.Context(), "another", Limits{}, one)
		if not, ok := errors.AsType[NotBegun](err); !ok || not.GivenUp != tt.name {
			t.Errorf("%s: another beside it: %v", tt.name, err)
		}
		whenFree(t)
	}
}

func one(context.Context) (int, error) { return 1, nil }

// whenFree waits until what was given up has ended.
func whenFree(t *testing.T) {
	for _, err := Do(t.Context(), "another", Limits{}, one); err != nil; _, err = Do(t.Context(), "another", Limits{}, one) {
		time.Sleep(5 * time.Millisecond)
	}
}

// TestWhatIsMadeBesideIsNamed: which of several took the memory can't be known, so the others are named.
func TestWhatIsMadeBesideIsNamed(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = Do(context.Background(), "one", Limits{}, func(context.Context) (int, error) { close(begun); <-end; return 0, nil })
	}()
	<-begun
	_, err := Do(t.Context(), "two", Limits{Time: time.Millisecond}, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, nil })
	if given, ok := errors.AsType[GivenUp](err); !ok || !slices.Equal(given.Beside, []string{"one"}) {
		t.Errorf("%v", err)
	}
	close(end)
	<-ended
	whenFree(t)
}

// TestAPanicIsAnError: what was made of foreign data does not end kiban.
func TestAPanicIsAnError(t *testing.T) {
	_, err := Do(t.Context(), "the build of x", Limits{}, func(context.Context) (int, error) { panic("index out of range") })
	if err == nil || !strings.Contains(err.Error(), "the build of x panicked: index out of range") {
		t.Errorf("%v", err)
	}
}
