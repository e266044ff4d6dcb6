package kube

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// H23: a cordon that kiban has not marked as its own is an administrator's. It is neither taken over nor lifted, whatever a step says.
func TestHazard_H23_AdministratorsCordonStays(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("nodes", object{"metadata": map[string]any{"name": "w1"}, "spec": map[string]any{"unschedulable": true}, "status": map[string]any{}})
	wantDiagnostic(t, c.Cordon(t.Context(), "w1", lifecycle.Mark{Run: "r1"}), lifecycle.SeverityBlocked, "not by kiban")
	if err := c.Uncordon(t.Context(), "w1"); err != nil {
		t.Error(err)
	}
	n, err := c.Node(t.Context(), "w1")
	if err != nil || !n.Unschedulable || !n.Mark.IsZero() {
		t.Errorf("cordoned %t, mark %+v, %v", n.Unschedulable, n.Mark, err)
	}
}

// H24: every cordon of kiban's carries its mark from the same write on, so that a later run knows it as one to be lifted; and lifts it.
func TestHazard_H24_CordonAndMarkAreOneWrite(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("nodes", object{"metadata": map[string]any{"name": "w1"}, "spec": map[string]any{}, "status": map[string]any{}})
	before := f.revision
	if err := c.Cordon(t.Context(), "w1", lifecycle.Mark{Run: "r1", Reason: "upgrade"}); err != nil {
		t.Fatal(err)
	}
	n, err := c.Node(t.Context(), "w1")
	if err != nil || !n.Unschedulable || n.Mark.Run != "r1" || f.revision != before+1 {
		t.Errorf("cordoned %t, mark %+v, in %d writes, %v", n.Unschedulable, n.Mark, f.revision-before, err)
	}
	if err := connect(t, f).Uncordon(t.Context(), "w1"); err != nil { // another process
		t.Fatal(err)
	}
	if n, err = c.Node(t.Context(), "w1"); err != nil || n.Unschedulable || !n.Mark.IsZero() || f.revision != before+2 {
		t.Errorf("cordoned %t, mark %+v, in %d writes, %v", n.Unschedulable, n.Mark, f.revision-before, err)
	}
	if err := c.Cordon(t.Context(), "w1", lifecycle.Mark{}); err == nil {
		t.Error("a cordon without a mark was made")
	}
}
