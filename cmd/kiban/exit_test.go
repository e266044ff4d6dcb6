package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
)

func TestExitCodes(t *testing.T) {
	find := func(s lifecycle.Severity, cause error) lifecycle.Diagnostic {
		return lifecycle.Diagnostic{Severity: s, Summary: "x", Cause: cause}
	}
	failed, blocked, warning := find(lifecycle.SeverityError, nil), find(lifecycle.SeverityBlocked, nil), find(lifecycle.SeverityWarning, nil)
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"any error", errors.New("x"), 1},
		{"a finding", failed, 1},
		{"an error beside a block", lifecycle.Diagnostics{blocked, failed}, 1},
		{"changes", changesError{}, 2},
		{"blocked", blocked, 3},
		{"blocked, with a warning", lifecycle.Diagnostics{blocked, warning}, 3},
		{"blocked, wrapped and shown", shown{fmt.Errorf("apply: %w", lifecycle.Diagnostics{blocked})}, 3},
		{"stale", lifecycle.Diagnostics{find(lifecycle.SeverityError, review.ErrStale)}, 4},
		{"interrupted run", lifecycle.Diagnostics{failed, find(lifecycle.SeverityError, apply.ErrInterrupted)}, 130},
		{"interrupted verb", errors.Join(session.ErrInterrupted, context.Canceled), 130},
		{"a cancelled request is no interrupt", context.Canceled, 1},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// What exit code 2 is said to mean names each verb that ends with it: those with --detailed-exitcode, and pin --check.
func TestExplainedChangesNameTheirVerbs(t *testing.T) {
	r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "explain", "exit")
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }}, services: (&fakeSite{}).services()}
	for _, c := range newRoot(a).Commands() {
		if c.Flags().Lookup("detailed-exitcode") == nil {
			continue
		}
		line := regexp.MustCompile(`(?m)^.*\b` + c.Name() + `\b.*--detailed-exitcode.*$`)
		if r.code != exitDone || !line.MatchString(r.out) || !strings.Contains(r.out, "pin --check") {
			t.Errorf("%s is not named:\n%s", c.Name(), r.out)
		}
	}
}
