package check

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func met(format string, args ...any) lifecycle.GateResult {
	return lifecycle.GateResult{State: lifecycle.GateMet, Reason: fmt.Sprintf(format, args...)}
}

func waiting(format string, args ...any) lifecycle.GateResult {
	return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) lifecycle.GateResult {
	return lifecycle.GateResult{State: lifecycle.GateSkipped, Reason: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) lifecycle.GateResult {
	return lifecycle.GateResult{State: lifecycle.GateFailed, Reason: fmt.Sprintf(format, args...)}
}

// unreached is the answer where the machine itself does not answer.
func unreached(host lifecycle.HostState, format string, args ...any) lifecycle.GateResult {
	r := waiting(format, args...)
	r.Unreached = host.Problem == lifecycle.HostUnreachable
	return r
}

// unknown is the answer where something could not be learnt now.
func unknown(what string, err error) lifecycle.GateResult {
	return waiting("%s: %s", what, lifecycle.InWords(err))
}

// some joins at most a few of many names.
func some(names []string) string {
	const few = 4
	if len(names) <= few {
		return strings.Join(names, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(names[:few], "; "), len(names)-few)
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }
