package lifecycle

import (
	"slices"
	"strings"
	"testing"
)

// threeControllers are a site of three controllers and a worker, of which each has that problem.
func threeControllers(problems ...HostProblem) (Site, State) {
	site, st := Site{Name: "lab"}, State{Site: "lab", API: APIState{Unknown: "not asked"}}
	for i, name := range []string{"c1", "c2", "c3", "w1"} {
		role := RoleController
		if name == "w1" {
			role = RoleWorker
		}
		site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: name, Role: role})
		st.Hosts = append(st.Hosts, HostState{Name: name, Problem: problems[i], Why: "because of " + string(problems[i])})
	}
	return site, st
}

// TestShutOut: an API is neither silent nor lost where kiban was let in to no controller. One controller that answers, or that may be gone,
// makes it a matter of the cluster.
func TestShutOut(t *testing.T) {
	for name, c := range map[string]struct {
		problems []HostProblem
		asked    bool
		want     bool
	}{
		"no known_hosts here":        {problems: []HostProblem{HostNoKeys, HostNoKeys, HostNoKeys, HostNoKeys}, want: true},
		"no key here":                {problems: []HostProblem{HostNoLogin, HostNoLogin, HostNoLogin, HostOK}, want: true},
		"refused, each otherwise":    {problems: []HostProblem{HostAuth, HostKeyUnknown, HostSudo, HostOK}, want: true},
		"one may be gone":            {problems: []HostProblem{HostAuth, HostUnreachable, HostAuth, HostOK}},
		"all may be gone":            {problems: []HostProblem{HostUnreachable, HostUnreachable, HostUnreachable, HostOK}},
		"one answers":                {problems: []HostProblem{HostAuth, HostOK, HostAuth, HostAuth}},
		"the API answered after all": {problems: []HostProblem{HostAuth, HostAuth, HostAuth, HostAuth}, asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			site, st := threeControllers(c.problems...)
			if c.asked {
				st.API.Unknown = ""
			}
			if got := st.ShutOut(site); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
		})
	}
	if (State{API: APIState{Unknown: "no kubeconfig"}}).ShutOut(Site{}) {
		t.Error("a site without machines is not one that kiban was kept out of")
	}
}

// TestUnseenSaysWhatIsMissingHere: a file that this computer lacks is not looked for on the network.
func TestUnseenSaysWhatIsMissingHere(t *testing.T) {
	for name, c := range map[string]struct {
		problem   HostProblem
		says, not string
	}{
		"no known_hosts": {HostNoKeys, "kiban hosts trust lab", "network"},
		"no key":         {HostNoLogin, "keyPath", "network"},
		"refused":        {HostAuth, "kiban status lab", "network"},
		"no answer":      {HostUnreachable, "network", "keyPath"},
	} {
		t.Run(name, func(t *testing.T) {
			_, st := threeControllers(c.problem, c.problem, c.problem, c.problem)
			d, unseen := st.Unseen()
			if !unseen || !strings.Contains(d.Hint, c.says) || strings.Contains(d.Hint, c.not) {
				t.Errorf("%t %+v", unseen, d)
			}
		})
	}
}

// TestReasonsSayTheSameOnce holds that one cause on all controllers is read once.
func TestReasonsSayTheSameOnce(t *testing.T) {
	_, st := threeControllers(HostAuth, HostNoKeys, HostAuth, HostOK)
	if got := Reasons(st.Hosts); !slices.Equal(got, []string{"c1, c3: because of auth", "c2: because of no-keys"}) {
		t.Errorf("%q", got)
	}
}

// TestEveryProblemHasAWayInAndWords: no machine is left without a way on, and no constant of the code is shown to people.
func TestEveryProblemHasAWayInAndWords(t *testing.T) {
	for _, p := range []HostProblem{HostKeyUnknown, HostAuth, HostNoKeys, HostNoLogin, HostSudo, HostFacts} {
		if p.WayIn("lab", "w1", "ops") == "" || p.Words() == string(p) || !p.keepsOut() && p != HostFacts {
			t.Errorf("%s: %q %q", p, p.Words(), p.WayIn("lab", "w1", "ops"))
		}
	}
}
