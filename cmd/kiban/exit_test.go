package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/review"
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
		{"interrupted verb", errors.Join(errInterrupted, context.Canceled), 130},
		{"a cancelled request is no interrupt", context.Canceled, 1},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
