package kube

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestOwnRequestsAreMarked: what is declared, and what was applied last, is asked for by kiban itself, and API servers count it.
func TestOwnRequestsAreMarked(t *testing.T) {
	c := connect(t, newFakeAPI())
	object := declared(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}\ndata: {}")
	former := declared(t, "apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: kube-system}")
	if _, _, err := c.Compare(t.Context(), object, lifecycle.CompareOptions{Inventory: inventoryOf(former)}); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	got := c.own.mark([]lifecycle.APIRequest{{Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "services"},
		{Version: "v1", Resource: "pods"}, {Group: "other", Version: "v1", Resource: "services"}}, at)
	for i, want := range []bool{true, true, false, false} {
		if own := !got[i].Own.IsZero(); own != want {
			t.Errorf("%+v: kiban's own is %v, not %v", got[i], own, want)
		}
	}
	services, pods := lifecycle.API{Version: "v1", Resource: "services"}, lifecycle.API{Version: "v1", Resource: "pods"}
	if !c.AsksItself([]lifecycle.API{pods, services}) || c.AsksItself([]lifecycle.API{pods}) {
		t.Error("what it asks for itself")
	}
}
