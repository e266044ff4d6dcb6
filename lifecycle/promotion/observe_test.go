package promotion

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const hour = time.Hour

// day is the morning on which everything begins.
func day(after time.Duration) time.Time {
	return time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC).Add(after)
}

func v(t testing.TB, text string) lifecycle.Version {
	t.Helper()
	version, err := lifecycle.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

const (
	v135 = "v1.35.7+k0s.0"
	v136 = "v1.36.3+k0s.2"
)

func staging() lifecycle.Site {
	s := lifecycle.Site{Name: "staging", Provider: lifecycle.ProviderK0s}
	s.Cluster.Hosts = []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController}, {Name: "w1", Role: lifecycle.RoleWorker},
		{Name: "w2", Role: lifecycle.RoleWorker}}
	return s
}

// well is the site as it is when nothing is wrong with it.
func well(t testing.TB, version string, charts ...string) lifecycle.State {
	t.Helper()
	st := lifecycle.State{Site: "staging"}
	for _, name := range []string{"c1", "w1", "w2"} {
		unit := "k0sworker"
		if name == "c1" {
			unit = "k0scontroller"
		} else {
			st.Nodes = append(st.Nodes, lifecycle.NodeState{Name: name, Ready: true, Kubelet: v(t, version).Kubelet()})
		}
		st.Hosts = append(st.Hosts, lifecycle.HostState{Name: name, ServiceName: unit, Service: lifecycle.ServiceRunning, Binary: v(t, version),
			Running: v(t, version)})
	}
	st.API.Servers = []lifecycle.APIServer{{Host: "c1", Ready: true}}
	st.Etcd.Members = []lifecycle.EtcdMember{{Name: "c1"}}
	for _, c := range charts {
		name, chartVersion, _ := strings.Cut(c, " ")
		st.Units = append(st.Units, lifecycle.UnitState{Name: "addon/" + name, Declared: true, Installed: true,
			Health:  lifecycle.Health{Status: lifecycle.HealthCurrent},
			Release: lifecycle.Release{Chart: name, Version: chartVersion, Status: "deployed"}})
	}
	return st
}

// print is an account, a version each: "k0s v1.35.7+k0s.0 runs for 2h, at most 5h".
func print(s lifecycle.Soak) string {
	var out []string
	for _, v := range s.Versions {
		line := v.Name + " " + v.Version
		if v.Runs {
			line += " runs"
		}
		if !v.Since.IsZero() {
			line += " for " + span(s.Observed.Sub(v.Since))
		}
		out = append(out, line+", at most "+span(v.Longest))
	}
	return strings.Join(out, "\n")
}

// look is one look at the site.
type look struct {
	at    time.Duration
	state lifecycle.State
}

func TestObserve(t *testing.T) {
	sick := func(version string, charts ...string) lifecycle.State {
		st := well(t, version, charts...)
		st.Nodes[1].Ready = false
		return st
	}
	half := well(t, v135)
	half.Hosts[1].Binary, half.Hosts[1].Running = v(t, v136), v(t, v136)
	dark := well(t, v136)
	dark.API, dark.Nodes = lifecycle.APIState{Unknown: "refused"}, nil
	stopped := well(t, v135)
	stopped.Hosts[0].Binary, stopped.Hosts[0].Running, stopped.Hosts[0].Service, stopped.API = v(t, v136), lifecycle.Version{},
		lifecycle.ServiceStopped, lifecycle.APIState{Unknown: "refused"}
	moved := []lifecycle.SoakVersion{}
	for i := range 12 {
		moved = append(moved, lifecycle.SoakVersion{Name: "chart/web", Version: fmt.Sprint(12 - i), Longest: hour})
	}
	for name, tt := range map[string]struct {
		prev  lifecycle.Soak
		looks []look
		want  string
	}{
		"the first look": {looks: []look{{0, well(t, v135, "metallb 0.16.1")}},
			want: "k0s v1.35.7+k0s.0 runs for 0s, at most 0s\nchart/metallb 0.16.1 runs for 0s, at most 0s"},
		"two looks count for what lies between": {looks: []look{{0, well(t, v135)}, {20 * hour, well(t, v135)}},
			want: "k0s v1.35.7+k0s.0 runs for 20h, at most 20h"},
		"a break begins the stretch anew, and the best one is remembered": {
			looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)}, {6 * hour, sick(v135)}, {7 * hour, well(t, v135)},
				{9 * hour, well(t, v135)}},
			want: "k0s v1.35.7+k0s.0 runs for 2h, at most 5h"},
		"while it is unhealthy nothing runs on": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)}, {6 * hour, sick(v135)}},
			want: "k0s v1.35.7+k0s.0 runs, at most 5h"},
		"another version comes first, and what ran is remembered": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)},
			{6 * hour, well(t, v136)}, {8 * hour, well(t, v136)}},
			want: "k0s v1.36.3+k0s.2 runs for 2h, at most 2h\nk0s v1.35.7+k0s.0, at most 5h"},
		"a version that comes back": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)}, {6 * hour, well(t, v136)},
			{8 * hour, well(t, v135)}, {9 * hour, well(t, v135)}},
			want: "k0s v1.35.7+k0s.0 runs for 1h, at most 5h\nk0s v1.36.3+k0s.2, at most 0s"},
		"half an upgrade": {looks: []look{{0, well(t, v135)}, {5 * hour, half}},
			want: "k0s v1.36.3+k0s.2 runs, at most 0s\nk0s v1.35.7+k0s.0 runs, at most 0s"},
		"half an upgrade, with the API gone": {looks: []look{{0, stopped}},
			want: "k0s v1.36.3+k0s.2 runs, at most 0s\nk0s v1.35.7+k0s.0 runs, at most 0s"},
		"charts that can't be seen run on": {looks: []look{{0, well(t, v136, "metallb 0.16.1")}, {5 * hour, dark}},
			want: "k0s v1.36.3+k0s.2 runs, at most 0s\nchart/metallb 0.16.1 runs, at most 0s"},
		"a look that is older than the last one adds nothing": {looks: []look{{5 * hour, well(t, v135)}, {5*hour - time.Minute, well(t, v136)}},
			want: "k0s v1.35.7+k0s.0 runs for 0s, at most 0s"},
		"unless it found something wrong": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)},
			{5*hour - time.Minute, sick(v135)}}, want: "k0s v1.35.7+k0s.0 runs, at most 5h"},
		"a clock that was far ahead proves nothing": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)}, {4000 * hour, well(t, v135)},
			{6 * hour, well(t, v135)}, {7 * hour, well(t, v135)}},
			want: "k0s v1.35.7+k0s.0 runs for 1h, at most 1h"},
		"nor does it take away what was proven before": {looks: []look{{0, well(t, v135)}, {5 * hour, well(t, v135)}, {6 * hour, sick(v135)},
			{4000 * hour, well(t, v135)}, {7 * hour, well(t, v135)}},
			want: "k0s v1.35.7+k0s.0 runs for 0s, at most 5h"},
		"another site's account": {prev: lifecycle.Soak{Format: "1.0", Site: "other", Observed: day(0),
			Versions: []lifecycle.SoakVersion{{Name: "k0s", Version: v136, Longest: hour}}},
			looks: []look{{hour, well(t, v135)}}, want: "k0s v1.35.7+k0s.0 runs for 0s, at most 0s"},
		"another format": {prev: lifecycle.Soak{Format: "2.0", Site: "staging", Observed: day(0),
			Versions: []lifecycle.SoakVersion{{Name: "k0s", Version: v136, Longest: hour}}},
			looks: []look{{hour, well(t, v135)}}, want: "k0s v1.35.7+k0s.0 runs for 0s, at most 0s"},
		"the oldest go": {prev: lifecycle.Soak{Format: "1.3", Site: "staging", Observed: day(0), Versions: moved},
			looks: []look{{hour, well(t, v135, "web 13")}},
			want: "k0s v1.35.7+k0s.0 runs for 0s, at most 0s\nchart/web 13 runs for 0s, at most 0s\nchart/web 12, at most 1h\n" +
				"chart/web 11, at most 1h\nchart/web 10, at most 1h\nchart/web 9, at most 1h\n" +
				"chart/web 8, at most 1h\nchart/web 7, at most 1h\nchart/web 6, at most 1h\nchart/web 5, at most 1h\nchart/web 4, at most 1h"},
	} {
		soak := tt.prev
		for _, l := range tt.looks {
			soak = Observe(soak, staging(), l.state, day(l.at))
		}
		if got := print(soak); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tt.want)
		}
	}
}

// What is given is not changed: two who write at once begin with the same account.
func TestObserveChangesNothing(t *testing.T) {
	prev := Observe(lifecycle.Soak{}, staging(), well(t, v135), day(0))
	before := print(prev)
	Observe(prev, staging(), well(t, v136), day(hour))
	Restored(prev)
	if print(prev) != before {
		t.Errorf("it was\n%s\nand is\n%s", before, print(prev))
	}
}

func TestRestored(t *testing.T) {
	soak := Observe(lifecycle.Soak{}, staging(), well(t, v135), day(0))
	soak = Observe(soak, staging(), well(t, v135), day(5*hour))
	if got, want := print(Observe(Restored(soak), staging(), well(t, v135), day(50*hour))),
		"k0s v1.35.7+k0s.0 runs for 0s, at most 5h"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHealth(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*lifecycle.Site, *lifecycle.State)
		want   string // the reason, "" when it is healthy
	}{
		"well": {func(*lifecycle.Site, *lifecycle.State) {}, ""},
		"drift": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Units[0].Changes = []lifecycle.ObjectChange{{Change: lifecycle.ChangeUpdate, Drift: true}}
			st.Hosts[1].Files = []lifecycle.FileState{{}}
		}, ""},
		"another version is declared": {func(s *lifecycle.Site, _ *lifecycle.State) { s.Cluster.Version = v(t, v136) }, ""},
		"a declared addon is not there yet": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Units = append(st.Units, lifecycle.UnitState{Name: "addon/new", Declared: true})
		}, ""},
		"a node in maintenance": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Nodes[0].Unschedulable = true }, ""},
		"a tenant's budget": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Budgets = []lifecycle.Budget{{Name: "web", Healthy: 1, Desired: 2, Expected: 3}}
		}, ""},
		"a host that leaves": {func(s *lifecycle.Site, st *lifecycle.State) {
			s.Cluster.Hosts[2].Reset, st.Hosts[2].Problem = true, lifecycle.HostUnreachable
		}, ""},
		"no cluster yet": {func(_ *lifecycle.Site, st *lifecycle.State) { st.API, st.Hosts = lifecycle.APIState{NotYet: true}, nil },
			"there is no cluster yet"},
		"a cluster that is lost": {func(_ *lifecycle.Site, st *lifecycle.State) { st.API = lifecycle.APIState{NotYet: true} },
			"its control plane is lost"},
		"another cluster": {func(s *lifecycle.Site, st *lifecycle.State) { st.API.Site = "elsewhere" },
			"the cluster says that it is site elsewhere"},
		"the API does not answer": {func(_ *lifecycle.Site, st *lifecycle.State) { st.API.Unknown = "dial tcp: refused\nmore" },
			"the Kubernetes API did not answer: dial tcp: refused"},
		"a host that is not reached": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Hosts[1] = lifecycle.HostState{Name: "w1", Problem: lifecycle.HostUnreachable, Why: "i/o timeout"}
		}, "w1 is not known: i/o timeout"},
		"a host that nothing was said of": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Hosts = st.Hosts[:2] }, "w2 is not known"},
		"a host that has not joined": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Hosts[2] = lifecycle.HostState{Name: "w2"}
			st.Nodes = st.Nodes[:1]
		},
			"k0s is not set up on w2"},
		"a service that stopped": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Hosts[1].Service = lifecycle.ServiceFailed },
			"k0sworker on w1 is failed"},
		"k0s does not answer": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Hosts[1].Running = lifecycle.Version{} },
			"`k0s status` on w1 does not answer"},
		"two versions": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Hosts[1].Running, st.Hosts[1].Binary = v(t, v136), v(t, v136)
			st.Nodes[0].Kubelet = v(t, v136).Kubelet()
		},
			"its machines run different versions of k0s: v1.35.7+k0s.0, v1.36.3+k0s.2"},
		"an older binary, which the next restart starts": {func(_ *lifecycle.Site,
			st *lifecycle.State) {
			st.Hosts[1].Binary = v(t, "v1.34.10+k0s.0")
		},
			"its machines run different versions of k0s: v1.35.7+k0s.0, v1.34.10+k0s.0"},
		"a kubelet of another version": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Nodes[0].Kubelet = "v1.34.1+k0s" },
			"node w1 says that it runs v1.34.1+k0s, and the machine runs v1.35.7+k0s.0"},
		"a node that is not Ready": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Nodes[1].Ready, st.Nodes[1].Why = false, "kubelet stopped"
		}, "node w2 is not Ready: kubelet stopped"},
		"a node that is not there": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Nodes = st.Nodes[:1] }, "the cluster has no node w2"},
		"an API server that is not ready": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.API.Servers[0] = lifecycle.APIServer{Host: "c1", Why: "etcd"}
		}, "the API server of c1 is not ready: etcd"},
		"etcd is not known": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Etcd = lifecycle.EtcdState{Unknown: "timeout"} },
			"etcd's members are not known: timeout"},
		"etcd has a member too many": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: "gone"})
		},
			"etcd has 2 of 1 members"},
		"an addon that is not healthy": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Units[0].Health = lifecycle.Health{Status: lifecycle.HealthInProgress, Why: "DaemonSet x/speaker: 1 of 2"}
		}, "addon metallb is not healthy: DaemonSet x/speaker: 1 of 2"},
		"an addon that is not known": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Units[0] = lifecycle.UnitState{Name: "addon/metallb", Declared: true, Unknown: "forbidden"}
		},
			"addon metallb is not known: forbidden"},
		"an addon whose run was cut off": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Units[0].Release.Status = "pending-upgrade" },
			"the run that applies addon metallb has not come to its end"},
		"a release that failed": {func(_ *lifecycle.Site, st *lifecycle.State) { st.Units[0].Release.Status = "failed" },
			"the release of addon metallb failed"},
		"a tenant that is not healthy": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Units = append(st.Units, lifecycle.UnitState{Name: "tenant/a", Declared: true, Installed: true,
				Health: lifecycle.Health{Status: lifecycle.HealthFailed}})
		}, ""},
		"a long story": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Nodes[0].Ready, st.Nodes[0].Why = false, strings.Repeat("é", 1000)
		},
			"node w1 is not Ready: " + strings.Repeat("é", 178) + "…"},
		"much": {func(_ *lifecycle.Site, st *lifecycle.State) {
			st.Nodes[0].Ready, st.Nodes[1].Ready, st.API.Servers[0].Ready, st.Etcd.Unknown, st.Units[0].Unknown = false, false, false, "x", "y"
		}, "the API server of c1 is not ready; etcd's members are not known: x; node w1 is not Ready; and 2 more"},
	} {
		site, st := staging(), well(t, v135, "metallb 0.16.1")
		tt.change(&site, &st)
		soak := Observe(lifecycle.Soak{}, site, st, day(0))
		if soak.Reason != tt.want || soak.Healthy != (tt.want == "") {
			t.Errorf("%s: healthy %v, %q; want %q", name, soak.Healthy, soak.Reason, tt.want)
		}
	}
}

// A site of someone else's machines runs charts, and no k0s.
func TestExternal(t *testing.T) {
	site := lifecycle.Site{Name: "aws", Provider: lifecycle.ProviderExternal}
	st := well(t, v135, "metallb 0.16.1")
	st.Hosts, st.API.Servers, st.Etcd.Members = nil, nil, nil
	soak := Observe(Observe(lifecycle.Soak{}, site, st, day(0)), site, st, day(hour))
	if got, want := print(soak), "chart/metallb 0.16.1 runs for 1h, at most 1h"; got != want || !soak.Healthy {
		t.Errorf("got %s (%s), want %s", got, soak.Reason, want)
	}
	st.Nodes[0].Ready = false
	if soak := Observe(soak, site, st, day(2*hour)); soak.Healthy {
		t.Error("a node that is not Ready was not minded")
	}
}
