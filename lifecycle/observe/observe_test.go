package observe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

type machines struct {
	facts lifecycle.MachineFacts
	err   error
}

func (m machines) Facts(context.Context) (lifecycle.MachineFacts, error) { return m.facts, m.err }

type api struct {
	facts lifecycle.ClusterFacts
	err   error
}

func (a api) Facts(context.Context) (lifecycle.ClusterFacts, error) { return a.facts, a.err }

var site = lifecycle.Site{Name: "demo", Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{
	{Name: "c1", Role: lifecycle.RoleController}, {Name: "c2", Role: lifecycle.RoleController}, {Name: "w1", Role: lifecycle.RoleWorker},
}}}

func host(name string, change ...func(*lifecycle.HostState)) lifecycle.HostState {
	h := lifecycle.HostState{Name: name, Service: lifecycle.ServiceAbsent}
	for _, c := range change {
		c(&h)
	}
	return h
}

func running(h *lifecycle.HostState) {
	h.ServiceName, h.Service = "k0scontroller", lifecycle.ServiceRunning
}

func stopped(h *lifecycle.HostState) {
	h.ServiceName, h.Service = "k0scontroller", lifecycle.ServiceStopped
}

func dark(h *lifecycle.HostState) {
	*h = lifecycle.HostState{Name: h.Name, Problem: lifecycle.HostUnreachable, Why: "no connection"}
}

func doubted(h *lifecycle.HostState) {
	h.Doubts = lifecycle.Diagnostics{lifecycle.Errorf(h.Name, "users[0].user.exec")}
}

func data(h *lifecycle.HostState) { h.Data = true }

// TestAPIState: knowing that there is no API is not the same as not knowing.
func TestAPIState(t *testing.T) {
	answer := lifecycle.ClusterFacts{API: lifecycle.APIState{ClusterUID: "u"}, Nodes: []lifecycle.NodeState{{Name: "w1"}}}
	cases := []struct {
		name       string
		hosts      []lifecycle.HostState
		kubeconfig string
		api        api
		notYet     bool
		unknown    string
	}{
		{"never installed", []lifecycle.HostState{host("c1"), host("c2"), host("w1")}, "", api{}, true, ""},
		{"never installed, an unreachable worker", []lifecycle.HostState{host("c1"), host("c2"), host("w1", dark)}, "", api{}, true, ""},
		{"an unreachable controller could be the only one there is", []lifecycle.HostState{host("c1"), host("c2", dark), host("w1")}, "", api{},
			false, "c2: no connection"},
		{"stopped", []lifecycle.HostState{host("c1", stopped), host("c2"), host("w1")}, "", api{}, false, "k0s on c1 is stopped"},
		{"just started", []lifecycle.HostState{host("c1", running), host("c2"), host("w1")}, "", api{}, false, "no credentials"},
		{"its credentials are not believed", []lifecycle.HostState{host("c1", running, doubted), host("c2"), host("w1")}, "", api{}, false,
			"c1: users[0].user.exec"},
		{"half removed", []lifecycle.HostState{host("c1", data), host("c2"), host("w1")}, "", api{}, false, "was a controller before"},
		{"answers", []lifecycle.HostState{host("c1", running), host("c2"), host("w1")}, "k", api{facts: answer}, false, ""},
		{"does not answer", []lifecycle.HostState{host("c1", running), host("c2"), host("w1")}, "k", api{err: errors.New("connection refused")},
			false, "connection refused"},
		{"answers half", []lifecycle.HostState{host("c1", running), host("c2"), host("w1")}, "k",
			api{facts: answer, err: errors.New("list nodes: timeout")}, false, "timeout"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := machines{facts: lifecycle.MachineFacts{Hosts: c.hosts, Credentials: lifecycle.Credentials{Kubeconfig: []byte(c.kubeconfig)}}}
			s, err := Observe(t.Context(), site, m, func(lifecycle.Credentials) (API, error) { return c.api, nil }, nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.API.NotYet != c.notYet || !strings.Contains(s.API.Unknown, c.unknown) || (c.unknown == "") != (s.API.Unknown == "") {
				t.Errorf("%+v", s.API)
			}
			if s.API.Unknown != "" && s.Nodes != nil {
				t.Error("nodes are told of an API that is unknown")
			}
			if c.name == "answers" && (s.API.ClusterUID != "u" || len(s.Nodes) != 1) {
				t.Errorf("the answer was lost: %+v", s)
			}
		})
	}
}

func TestHostsAreInTheSitesOrder(t *testing.T) {
	m := machines{facts: lifecycle.MachineFacts{Hosts: []lifecycle.HostState{host("w1"), host("c1")}}}
	s, err := Observe(t.Context(), site, m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Hosts[0].Name != "c1" || s.Hosts[2].Name != "w1" {
		t.Errorf("order is %v", s.Hosts)
	}
	if c2 := s.Hosts[1]; c2.Name != "c2" || c2.Reached() {
		t.Errorf("a host that nothing was said of is %+v", c2)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Observe(t.Context(), site, machines{err: errors.New("no")}, nil, nil); err == nil {
		t.Error("machines that could not be asked gave a state")
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := machines{facts: lifecycle.MachineFacts{Credentials: lifecycle.Credentials{Kubeconfig: []byte("k")}}}
	_, err := Observe(ctx, site, m, func(lifecycle.Credentials) (API, error) { cancel(); return api{}, nil }, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted observation gave %v", err)
	}
	s, err := Observe(t.Context(), site, m, func(lifecycle.Credentials) (API, error) { return nil, errors.New("bad kubeconfig") }, nil)
	if err != nil || s.API.Unknown != "bad kubeconfig" {
		t.Errorf("%v, %+v", err, s.API)
	}
}

// unitsOf tells what API it was asked of.
type unitsOf struct{ asked *lifecycle.APIState }

func (u unitsOf) Observe(_ context.Context, api lifecycle.APIState) []lifecycle.UnitState {
	*u.asked = api
	return []lifecycle.UnitState{{Name: "addon/metallb"}}
}

func TestUnitsAreAskedOfWhatTheAPISaid(t *testing.T) {
	var asked lifecycle.APIState
	m := machines{facts: lifecycle.MachineFacts{Credentials: lifecycle.Credentials{Kubeconfig: []byte("k")}}}
	s, err := Observe(t.Context(), site, m, func(lifecycle.Credentials) (API, error) {
		return api{facts: lifecycle.ClusterFacts{API: lifecycle.APIState{ClusterUID: "u"}}}, nil
	}, unitsOf{&asked})
	if err != nil || len(s.Units) != 1 || asked.ClusterUID != "u" {
		t.Errorf("%v, units %v, asked of %+v", err, s.Units, asked)
	}
}

// A site without machines of its own is never one that is still to be set up.
func TestExternalSiteWithoutKubeconfigIsUnknown(t *testing.T) {
	s, err := Observe(t.Context(), lifecycle.Site{Name: "aws", Provider: lifecycle.ProviderExternal}, machines{}, nil, nil)
	if err != nil || s.API.NotYet || s.API.Unknown == "" {
		t.Errorf("%v, %+v", err, s.API)
	}
}

// slow is an API whose lists are long: it answers after a while, unless it is given up before.
type slow struct{ takes time.Duration }

func (s slow) Facts(ctx context.Context) (lifecycle.ClusterFacts, error) {
	select {
	case <-ctx.Done():
		return lifecycle.ClusterFacts{}, ctx.Err()
	case <-time.After(s.takes):
		return lifecycle.ClusterFacts{API: lifecycle.APIState{ClusterUID: "u"}}, nil
	}
}

// TestLongListsDoNotMakeTheAPIUnknown: many pages take their time; what never ends is given up all the same.
func TestLongListsDoNotMakeTheAPIUnknown(t *testing.T) {
	for takes, known := range map[time.Duration]bool{4 * time.Minute: true, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			m := machines{facts: lifecycle.MachineFacts{Hosts: []lifecycle.HostState{host("c1", running)},
				Credentials: lifecycle.Credentials{Kubeconfig: []byte("k")}}}
			state, err := Observe(t.Context(), site, m, func(lifecycle.Credentials) (API, error) { return slow{takes}, nil }, nil)
			if err != nil || (state.API.Unknown == "") != known || strings.Contains(state.API.Unknown, "deadline") {
				t.Errorf("after %s: %q, %v", takes, state.API.Unknown, err)
			}
		})
	}
}
