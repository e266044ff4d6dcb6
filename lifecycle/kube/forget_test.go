package kube

import (
	"net/http"
	"slices"
	"testing"
)

// With its node go the objects that k0s keeps of a controller; a cluster that does not know their kinds, or never had them, is no error.
func TestDeleteNodeForgetsController(t *testing.T) {
	var deleted []string
	refuseWith := 0
	api := newFakeAPI()
	api.refuse = func(r *http.Request) (int, bool) {
		if r.Method != http.MethodDelete {
			return 0, false
		}
		deleted = append(deleted, r.URL.Path)
		return refuseWith, refuseWith != 0
	}
	c := connect(t, api)
	if err := c.DeleteNode(t.Context(), "controller-3"); err != nil {
		t.Errorf("none of them is there: %v", err)
	}
	want := []string{"/apis/etcd.k0sproject.io/v1beta1/etcdmembers/controller-3",
		"/apis/autopilot.k0sproject.io/v1beta2/controlnodes/controller-3", "/api/v1/nodes/controller-3"}
	if !slices.Equal(deleted, want) {
		t.Errorf("deleted %q, want %q", deleted, want)
	}
	refuseWith = http.StatusForbidden
	if err := c.DeleteNode(t.Context(), "controller-3"); err == nil {
		t.Error("a refusal passes for done")
	}
}
