package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhyEnded(t *testing.T) {
	past, cancel := Within(t.Context(), 0, "no answer")
	defer cancel()
	below, stop := context.WithCancel(past)
	defer stop()
	for name, ctx := range map[string]context.Context{"itself": past, "one below it": below} {
		if err := WhyEnded(ctx); err.Error() != "no answer within 0s" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{plain, stopped, t.Context()} {
		if err := WhyEnded(ctx); err != ctx.Err() {
			t.Errorf("got %v, want %v", err, ctx.Err())
		}
	}
}

// An error of a library says what did not come, and is to whoever asks what it was.
func TestInTime(t *testing.T) {
	ctx, cancel := Within(t.Context(), 0, "no answer")
	defer cancel()
	of := errors.New("of the API")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a library's":          {fmt.Errorf("get nodes: %w: %w", of, context.DeadlineExceeded), "get nodes: of the API: no answer within 0s"},
		"one that has its why": {fmt.Errorf("get nodes: %w: %w", of, context.Cause(ctx)), "get nodes: of the API: no answer within 0s"},
		"something else":       {fmt.Errorf("get nodes: %w", of), "get nodes: of the API"},
	} {
		got := InTime(ctx, c.err)
		late := errors.Is(got, context.DeadlineExceeded)
		if got.Error() != c.want || !errors.Is(got, of) || late != strings.Contains(c.want, "within") {
			t.Errorf("%s: %q, late %v", name, got, late)
		}
	}
	if err := InTime(t.Context(), context.DeadlineExceeded); err != context.DeadlineExceeded {
		t.Errorf("of a context that goes on: %v", err)
	}
	if InTime(ctx, nil) != nil {
		t.Error("nothing went wrong, and it says so")
	}
}

// What nobody gave words is said in words all the same.
func TestFindingsHaveNoRawDeadline(t *testing.T) {
	err := fmt.Errorf("get nodes: %w", context.DeadlineExceeded)
	net := fmt.Errorf("get: %w (Client.Timeout exceeded while awaiting headers)", context.DeadlineExceeded)
	for _, d := range append(AsDiagnostics(err, "x"), Errorf("a", "x").From(err)) {
		if d.Detail != "get nodes: no answer came in time" || strings.Contains(InWords(net), "Client.Timeout") ||
			!errors.Is(d, context.DeadlineExceeded) {
			t.Errorf("got %q", d.Detail)
		}
	}
}

// TestEveryWaitHasWords: a wait that ends says what did not come by then.
func TestEveryWaitHasWords(t *testing.T) {
	for _, root := range []string{".", filepath.Join("..", "cmd")} {
		err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			content, err := os.ReadFile(file)
			for n, line := range strings.Split(string(content), "\n") {
				if strings.Contains(line, "context.WithTimeout(") || strings.Contains(line, "context.WithDeadline(") {
					t.Errorf("%s:%d: a wait without words: use lifecycle.Within", file, n+1)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
