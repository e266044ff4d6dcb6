// Package observe learns what a site has: its machines first, then its Kubernetes API. It writes nothing anywhere.
package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Machines are the machines of a site.
type Machines interface {
	// Facts asks every machine once. A machine that does not answer is a fact, not an error.
	Facts(ctx context.Context) (lifecycle.MachineFacts, error)
}

// API is the Kubernetes API of a site.
type API interface {
	Facts(ctx context.Context) (lifecycle.ClusterFacts, error)
}

// Units are what a site runs beside Kubernetes: addons, tenants, other objects.
type Units interface {
	// Observe lays what is declared beside what the cluster has. What it cannot learn is said in the states.
	Observe(ctx context.Context, api lifecycle.APIState) []lifecycle.UnitState
}

// unitsWithin bounds the comparison of the units: every object is judged by the API.
const unitsWithin = 3 * time.Minute

// apiWithin bounds the questions to the API as a whole. Each of them, and each page of a list, has a bound of its own, so that an API that
// hangs is found unknown within half a minute; this one is for a list of very many pages.
const apiWithin = 10 * time.Minute

// Observe asks the machines, then the API with the administrator's credentials that a running controller gave; connect makes a client of
// them. An API that cannot be asked is unknown in the State, with the reason. Units are looked at last; nil: not at all. The error is the
// context's, or says that not even the machines could be asked.
func Observe(ctx context.Context, site lifecycle.Site, m Machines, connect func(lifecycle.Credentials) (API, error),
	units Units) (lifecycle.State, error) {
	at := time.Now()
	machines, err := m.Facts(ctx)
	if err != nil {
		return lifecycle.State{}, fmt.Errorf("ask the machines: %w", err)
	}
	cluster, err := askAPI(ctx, machines.Credentials, connect)
	if ctx.Err() != nil {
		return lifecycle.State{}, lifecycle.WhyEnded(ctx)
	}
	state := assemble(site, at, machines, cluster, err)
	if units != nil {
		state.Units = askUnits(ctx, units, state.API)
	}
	return state, lifecycle.WhyEnded(ctx)
}

// askUnits looks at the units, within their time.
func askUnits(ctx context.Context, units Units, api lifecycle.APIState) []lifecycle.UnitState {
	ctx, cancel := context.WithTimeoutCause(ctx, unitsWithin, fmt.Errorf("not compared within %s", unitsWithin))
	defer cancel()
	return units.Observe(ctx, api)
}

// askAPI asks the API, when there is a way to.
func askAPI(ctx context.Context, with lifecycle.Credentials, connect func(lifecycle.Credentials) (API, error)) (lifecycle.ClusterFacts,
	error) {
	if with.IsZero() {
		return lifecycle.ClusterFacts{}, nil
	}
	api, err := connect(with)
	if err != nil {
		return lifecycle.ClusterFacts{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, apiWithin, fmt.Errorf("no answer within %s", apiWithin))
	defer cancel()
	facts, err := api.Facts(ctx)
	if err = lifecycle.InTime(ctx, err); err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return facts, err
}

// assemble makes a State of what was said. apiErr says why the API was not to be asked.
func assemble(site lifecycle.Site, at time.Time, machines lifecycle.MachineFacts, cluster lifecycle.ClusterFacts,
	apiErr error) lifecycle.State {
	s := lifecycle.State{
		Site: site.Name, ObservedAt: at, Hosts: inOrder(site.Cluster.Hosts, machines.Hosts), API: cluster.API, Nodes: cluster.Nodes,
		Etcd: machines.Etcd, Budgets: cluster.Budgets, Stuck: cluster.Stuck, System: cluster.System,
	}
	switch {
	case apiErr != nil:
		s.API = lifecycle.APIState{Unknown: apiErr.Error()}
	case !machines.Credentials.IsZero():
		// what the API said of itself stands
	default:
		s.API = withoutCredentials(site, s)
	}
	if s.API.Unknown != "" {
		s.Nodes, s.Budgets, s.Stuck, s.System = nil, nil, nil, nil // half an answer would be taken for all
	}
	return s
}

// inOrder gives each declared host its state. A host that nothing was said of is unknown, not absent.
func inOrder(hosts []lifecycle.Host, states []lifecycle.HostState) []lifecycle.HostState {
	byName := make(map[string]lifecycle.HostState, len(states))
	for _, s := range states {
		byName[s.Name] = s
	}
	out := make([]lifecycle.HostState, len(hosts))
	for i, h := range hosts {
		s, ok := byName[h.Name]
		if !ok {
			s = lifecycle.HostState{Name: h.Name, Problem: lifecycle.HostFacts, Why: "it was not asked"}
		}
		out[i] = s
	}
	return out
}

// withoutCredentials says how the API stands when no controller gave a way to ask it. Only when every controller answered, and none was
// ever set up, is it known that there is no API yet.
func withoutCredentials(site lifecycle.Site, s lifecycle.State) lifecycle.APIState {
	var why []string
	var silent []lifecycle.HostState
	for _, h := range site.Cluster.Hosts {
		if !h.Role.IsController() {
			continue
		}
		c, _ := s.Host(h.Name)
		switch {
		case !c.Reached():
			silent = append(silent, c)
		case c.Installed() && c.Service != lifecycle.ServiceRunning:
			why = append(why, fmt.Sprintf("k0s on %s is %s", h.Name, c.Service))
		case len(c.Doubts) > 0:
			why = append(why, c.Doubts.Error())
		case c.Installed():
			why = append(why, fmt.Sprintf("k0s on %s has no credentials for its API yet", h.Name))
		case c.Data:
			why = append(why, fmt.Sprintf("%s was a controller before, and has no k0s service now", h.Name))
		}
	}
	why = append(lifecycle.Reasons(silent), why...)
	if len(why) == 0 && site.Provider == lifecycle.ProviderExternal {
		return lifecycle.APIState{Unknown: "there is no kubeconfig to ask it with"}
	}
	if len(why) == 0 {
		return lifecycle.APIState{NotYet: true}
	}
	return lifecycle.APIState{Unknown: strings.Join(why, "; ")}
}
