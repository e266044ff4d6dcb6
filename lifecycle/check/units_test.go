package check

import (
	"context"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func bad(unit string, kinds ...string) lifecycle.UnitHealth {
	u := lifecycle.UnitHealth{Unit: unit}
	for _, k := range kinds {
		u.Bad = append(u.Bad, lifecycle.ObjectHealth{ObjectRef: lifecycle.ObjectRef{APIVersion: "apps/v1", Kind: k, Namespace: "ns", Name: "x"},
			Health: lifecycle.Health{Status: lifecycle.HealthInProgress, Why: "1 of 2 pods are ready"}})
	}
	return u
}

func TestDecideUnits(t *testing.T) {
	away := []lifecycle.NodeState{{Name: "w1", Unschedulable: true, Mark: lifecycle.Mark{Run: "r"}}}
	byHand := []lifecycle.NodeState{{Name: "w1", Unschedulable: true}}
	cases := []struct {
		name   string
		health []lifecycle.UnitHealth
		nodes  []lifecycle.NodeState
		was    string
		state  lifecycle.GateState
		says   string
	}{
		{"all well", []lifecycle.UnitHealth{bad("addon/a"), bad("addon/b")}, nil, "", lifecycle.GateMet, "2 addons healthy"},
		{"one is not", []lifecycle.UnitHealth{bad("addon/a"), bad("addon/b", "Deployment")}, nil, "", lifecycle.GateWaiting,
			"addon/b: Deployment ns/x: 1 of 2"},
		{"it was not before either", []lifecycle.UnitHealth{bad("addon/b", "Deployment")}, nil, "addon/b", lifecycle.GateMet,
			"when the run began: addon/b"},
		{"a daemon set while a node is away", []lifecycle.UnitHealth{bad("addon/a", "DaemonSet")}, away, "", lifecycle.GateMet,
			"daemon sets left out"},
		{"a deployment while a node is away", []lifecycle.UnitHealth{bad("addon/a", "DaemonSet", "Deployment")}, away, "", lifecycle.GateWaiting,
			"Deployment"},
		{"a daemon set while an administrator's node is away", []lifecycle.UnitHealth{bad("addon/a", "DaemonSet")}, byHand, "",
			lifecycle.GateWaiting, "DaemonSet"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := decideUnits(c.health, c.nodes, func(u string) bool { return u == c.was })
			if r.State != c.state || !strings.Contains(r.Reason, c.says) {
				t.Errorf("%s: %s", r.State, r.Reason)
			}
		})
	}
}

type addons struct{ health []lifecycle.UnitHealth }

func (a *addons) Health(context.Context) ([]lifecycle.UnitHealth, error) { return a.health, nil }

// An addon that was not healthy when the run began counts again once it has been.
func TestAddonThatRecoversCounts(t *testing.T) {
	a := &addons{health: []lifecycle.UnitHealth{bad("addon/a", "Deployment")}}
	c := checker(&world{}, lifecycle.Site{})
	c.Watch(a)
	c.Baseline(lifecycle.State{Units: []lifecycle.UnitState{{Name: "addon/a", Installed: true,
		Health: lifecycle.Health{Status: lifecycle.HealthInProgress}}}})
	look := func() lifecycle.GateState {
		return c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateUnits}, time.Time{}).State
	}
	if look() != lifecycle.GateMet {
		t.Error("an addon that was not healthy before holds the run up")
	}
	a.health = []lifecycle.UnitHealth{bad("addon/a")}
	look()
	a.health = []lifecycle.UnitHealth{bad("addon/a", "Deployment")}
	if look() != lifecycle.GateWaiting {
		t.Error("an addon that was well during the run, and no longer is, is excused")
	}
}
