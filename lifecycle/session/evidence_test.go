package session

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/addons"
)

// TestEvidenceOfSilentAPI: an API that could not be asked a moment ago is not asked again, and all that it would have told is not known.
// Here there is no client that could be asked.
func TestEvidenceOfSilentAPI(t *testing.T) {
	controller := func(name string) lifecycle.Host { return lifecycle.Host{Name: name, Role: lifecycle.RoleController} }
	site := lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{controller("c1"), controller("c2")}}}
	w := &world{site: site, units: addons.New(site, addons.Deps{})}
	const why = "c1: it did not answer within 75s"
	e := w.Evidence(t.Context(), lifecycle.State{API: lifecycle.APIState{Unknown: why}}, lifecycle.Version{Major: 1, Minor: 37})
	for what, got := range map[string]string{"requests": e.APIs.Requests[0].Unknown, "kept": e.APIs.Kept.Unknown,
		"writes": e.APIs.Writes.Unknown, "releases": e.APIs.Releases.Unknown, "scheduling": e.Scheduling.Unknown,
		"admission": e.Admission.Unknown} {
		if got != why {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// TestNextVersionOfOthersMachines: a site without machines has the version that its API servers tell, and the next minor release comes
// next.
func TestNextVersionOfOthersMachines(t *testing.T) {
	seen := lifecycle.State{API: lifecycle.APIState{Servers: []lifecycle.APIServer{{Version: "v1.36.2-eks-1a2b"}}}}
	site := lifecycle.Site{Provider: lifecycle.ProviderExternal}
	if got := nextVersion(site, seen); got != (lifecycle.Version{Major: 1, Minor: 37}) {
		t.Errorf("after v1.36: %s", got)
	}
	if got := nextVersion(site, lifecycle.State{}); !got.IsZero() {
		t.Errorf("nothing is known: %s", got)
	}
}
