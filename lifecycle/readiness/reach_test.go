package readiness

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestWayIn: where one thing lets kiban in to all machines that kept it out, it is the remedy.
func TestWayIn(t *testing.T) {
	for want, problems := range map[string][]lifecycle.HostProblem{
		"kiban hosts trust tokyo":                 {lifecycle.HostNoKeys, lifecycle.HostNoKeys, lifecycle.HostOK},
		"If it is right: kiban hosts trust tokyo": {lifecycle.HostKeyUnknown, lifecycle.HostOK, lifecycle.HostKeyUnknown},
		"kiban status tokyo":                      {lifecycle.HostKeyUnknown, lifecycle.HostUnreachable},
		"sudo without a password":                 {lifecycle.HostSudo, lifecycle.HostOK},
	} {
		in := Input{Site: lifecycle.Site{Name: "tokyo"}, Target: lifecycle.Version{Major: 1, Minor: 36}}
		for i, p := range problems {
			h := lifecycle.HostState{Name: string(rune('a' + i)), Problem: p, Why: "it keeps kiban out"}
			in.State.Hosts = append(in.State.Hosts, h)
		}
		r := &report{}
		reach(in, r)
		if len(r.Unseen) != 1 || !strings.Contains(r.Unseen[0].Remedy, want) {
			t.Errorf("want %q: %+v", want, r.Unseen)
		}
	}
}
