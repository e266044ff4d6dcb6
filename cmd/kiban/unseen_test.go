package main

import (
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// What could not be asked is not told as not there: a verb that shows what is there fails where nobody answered, and says so.
func TestNobodyAnswers(t *testing.T) {
	silent := func(name string) lifecycle.HostState {
		return lifecycle.HostState{Name: name, Problem: lifecycle.HostUnreachable, Why: "no connection"}
	}
	dark := &fakeSite{state: lifecycle.State{Site: "lab", Hosts: []lifecycle.HostState{silent("controller-1"), silent("worker-1")},
		API: lifecycle.APIState{Unknown: "no controller could be asked"}}}
	for verb, want := range map[string]string{
		"status lab": "0 of 2 machines answered", "status lab -o json": "0 of 2 machines answered", "node list lab": "0 of 2 machines answered",
		"addons lab": "what is in the cluster is not known", "addons lab -o json": "what is in the cluster is not known",
	} {
		r := dark.kiban(t, t.TempDir(), nil, strings.Fields(verb)...)
		if r.code != exitFailed || !strings.Contains(r.err, want) || strings.Contains(r.out, "no addons") {
			t.Errorf("%s: exit code %d, %q, %q", verb, r.code, r.out, r.err)
		}
	}
	// One that answers is something known: the rest are facts like any other. That nodes were not seen is said, for no node is another thing.
	dark.state.Hosts[1] = lifecycle.HostState{Name: "worker-1"}
	for _, verb := range []string{"node list lab", "node list lab -o json", "node show lab worker-1"} {
		if r := dark.kiban(t, t.TempDir(), nil, strings.Fields(verb)...); !strings.Contains(r.err, "its API could not be asked") {
			t.Errorf("%s says nothing of nodes that it could not see: %q\n%s", verb, r.err, r.out)
		}
	}
	dark.unanswered = errors.New("get namespace kube-system: TLS handshake timeout")
	for _, verb := range []string{"verify lab", "tenants lab"} {
		if r := dark.kiban(t, t.TempDir(), nil, strings.Fields(verb)...); r.code != exitFailed || strings.Contains(r.err, "could not do that") ||
			!strings.Contains(r.err, "on lab\n  get namespace") || !strings.Contains(r.err, "Try: kiban status lab") {
			t.Errorf("%s: exit code %d, %q", verb, r.code, r.err)
		}
	}
	for _, verb := range []string{"status lab", "node list lab"} {
		if r := dark.kiban(t, t.TempDir(), nil, strings.Fields(verb)...); r.code != 0 || strings.Contains(r.err, "nothing is known") {
			t.Errorf("%s: exit code %d, %q", verb, r.code, r.err)
		}
	}
}
