package observe

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// problemSite is a site of one controller that is well.
func problemSite() (lifecycle.Site, lifecycle.State) {
	v := lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
	site := lifecycle.Site{Name: "lab"}
	site.Cluster.Version = v
	site.Cluster.Hosts = []lifecycle.Host{{Name: "c-1", Role: lifecycle.RoleController}}
	st := lifecycle.State{Site: "lab"}
	st.Hosts = []lifecycle.HostState{{Name: "c-1", ServiceName: "k0scontroller", Service: lifecycle.ServiceRunning, Binary: v, Running: v}}
	st.API.Servers = []lifecycle.APIServer{{Host: "c-1", Ready: true}}
	st.Etcd.Members = []lifecycle.EtcdMember{{Name: "c-1"}}
	return site, st
}

func TestProblems(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*lifecycle.State)
		want   []string
	}{
		"well": {func(*lifecycle.State) {}, nil},
		"not reached": {func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostUnreachable },
			[]string{"error c-1: not reached"}},
		"a key that this computer lacks says nothing of the API": {func(st *lifecycle.State) {
			st.Hosts[0] = lifecycle.HostState{Name: "c-1", Problem: lifecycle.HostNoLogin, Why: "there is no key id here"}
			st.API = lifecycle.APIState{Unknown: "c-1: there is no key id here"}
		}, []string{"error c-1: this computer has nothing to log in with"}},
		"a controller that is away, and so is its API": {func(st *lifecycle.State) {
			st.Hosts[0] = lifecycle.HostState{Name: "c-1", Problem: lifecycle.HostUnreachable, Why: "no route to host"}
			st.API = lifecycle.APIState{Unknown: "c-1: no route to host"}
		}, []string{"error c-1: not reached", "error lab: the Kubernetes API did not answer"}},
		"a clock that is off": {func(st *lifecycle.State) { st.Hosts[0].ClockOffset = -95 },
			[]string{"error c-1: its clock is off by -95 s"}},
		"a clock that is hardly off": {func(st *lifecycle.State) { st.Hosts[0].ClockOffset = 30 }, nil},
		"a full disk": {func(st *lifecycle.State) { st.Hosts[0].Full = []string{"/var"} },
			[]string{"error c-1: the filesystem /var is full, or nearly so"}},
		"a controller that is away while another answers for the cluster": {func(st *lifecycle.State) {
			st.Hosts[0] = lifecycle.HostState{Name: "c-1", Problem: lifecycle.HostUnreachable, Why: "no route to host"}
			st.API.Servers[0].Ready = false
		}, []string{"error c-1: not reached"}},
		"another version": {func(st *lifecycle.State) { st.Hosts[0].Running.Patch = 2 },
			[]string{"warning c-1: runs k0s v1.36.2+k0s.0; v1.36.3+k0s.0 is declared"}},
		"the API is silent, so nothing is said of nodes": {func(st *lifecycle.State) {
			st.API.Unknown, st.Nodes = "timeout", []lifecycle.NodeState{{Name: "w-9"}}
		}, []string{"error lab: the Kubernetes API did not answer"}},
		"a host is not believed": {func(st *lifecycle.State) {
			st.Hosts[0].Doubts = lifecycle.Diagnostics{lifecycle.Errorf("c-1", "its kubeconfig is not used")}
		}, []string{"error c-1: its kubeconfig is not used"}},
		"a node that nobody declared": {func(st *lifecycle.State) { st.Nodes = []lifecycle.NodeState{{Name: "w-9", Ready: true}} },
			[]string{"warning w-9: the node is in the cluster, but the site does not declare it"}},
		"etcd has lost its member": {func(st *lifecycle.State) {
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: "c-2"})
		},
			[]string{"warning lab: etcd has 2 members, and 1 controller is declared"}},
		"a unit is not known": {func(st *lifecycle.State) {
			st.Units = []lifecycle.UnitState{{Name: "addon/metallb", Unknown: "forbidden"}}
		},
			[]string{"error addon metallb: it is not known how it is"}},
		"objects were changed by hand, and one is not up": {func(st *lifecycle.State) {
			st.Units = []lifecycle.UnitState{{Name: "objects", Declared: true, Installed: true, Changes: []lifecycle.ObjectChange{{Drift: true}, {}},
				Health: lifecycle.Health{Status: lifecycle.HealthFailed}}}
		}, []string{"error objects of the site: it is not healthy", "warning objects of the site: 1 object changed by hand"}},
	} {
		site, st := problemSite()
		tt.change(&st)
		var got []string
		for _, d := range Problems(site, st) {
			got = append(got, string(d.Severity)+" "+d.Subject+": "+d.Summary)
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestProblemsNameALostQuorum: two of three controllers are away, so the API is.
func TestProblemsNameALostQuorum(t *testing.T) {
	site, st := problemSite()
	for _, name := range []string{"c-2", "c-3"} {
		site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleController})
		st.Hosts = append(st.Hosts, lifecycle.HostState{Name: name, Problem: lifecycle.HostUnreachable, Why: "no route to host"})
	}
	st.API, st.Nodes, st.Etcd = lifecycle.APIState{Unknown: "timeout"}, nil, lifecycle.EtcdState{Unknown: "timed out"}
	i := slices.IndexFunc(Problems(site, st), func(d lifecycle.Diagnostic) bool { return d.Subject == "lab" })
	if i < 0 {
		t.Fatal(Problems(site, st))
	}
	if d := Problems(site, st)[i]; d.Summary != "etcd has 1 of 3 members: no quorum" || !strings.Contains(d.Hint, "Bring c-2 or c-3 back") {
		t.Errorf("%+v", d)
	}
}

// TestProblemsHaveAWayOn: whoever looks at a site at night is told what to do about each thing that can be done something about.
func TestProblemsHaveAWayOn(t *testing.T) {
	for name, change := range map[string]func(*lifecycle.State){
		"a host key":   func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostKeyUnknown },
		"a login":      func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostAuth },
		"no key":       func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostNoLogin },
		"sudo":         func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostSudo },
		"a silent API": func(st *lifecycle.State) { st.API.Unknown = "timeout" },
		"a server":     func(st *lifecycle.State) { st.API.Servers[0].Ready = false },
		"k0s":          func(st *lifecycle.State) { st.Hosts[0].Running = lifecycle.Version{} },
		"a cordon": func(st *lifecycle.State) {
			st.Nodes = []lifecycle.NodeState{{Name: "c-1", Ready: true, Unschedulable: true}}
		},
		"a node": func(st *lifecycle.State) { st.Nodes = []lifecycle.NodeState{{Name: "c-1"}} },
	} {
		site, st := problemSite()
		change(&st)
		ds := Problems(site, st)
		if len(ds) == 0 || slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool { return d.Hint == "" }) {
			t.Errorf("%s: %+v", name, ds)
		}
	}
}

// TestProblemsSayWhatIsKnown: that systemd restarts k0s again and again, with the log; and the reason of a cordon, as that of then.
func TestProblemsSayWhatIsKnown(t *testing.T) {
	for want, change := range map[string]func(*lifecycle.State){
		"k0s does not stay up: systemd has restarted it 9 times. kiban node logs lab c-1 says why": func(st *lifecycle.State) {
			h := &st.Hosts[0]
			h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceStarting, 9
		},
		"k0s does not stay up: systemd has given it up. kiban node logs lab c-1 says why": func(st *lifecycle.State) {
			st.Hosts[0].Running, st.Hosts[0].Service = lifecycle.Version{}, lifecycle.ServiceFailed
		},
		"Its reason then: v1.35.7+k0s.0 is installed": func(st *lifecycle.State) {
			st.Nodes = []lifecycle.NodeState{{Name: "c-1", Ready: true, Unschedulable: true,
				Mark: lifecycle.Mark{Run: "r1", Reason: "v1.35.7+k0s.0 is installed"}}}
		},
	} {
		site, st := problemSite()
		change(&st)
		var got []string
		for _, d := range Problems(site, st) {
			got = append(got, d.Detail+" "+d.Hint)
		}
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("nothing says %q: %q", want, got)
		}
	}
}

// A machine that is not reached may be dead: the ways are named, and none that needs an API which does not answer.
func TestWayBackOfAMachine(t *testing.T) {
	site, st := problemSite()
	st.Hosts[0].Problem = lifecycle.HostUnreachable
	hint := func() string {
		for _, d := range Problems(site, st) {
			if d.Subject == st.Hosts[0].Name {
				return d.Hint
			}
		}
		return ""
	}
	if h := hint(); !strings.Contains(h, "kiban node replace lab c-1") || !strings.Contains(h, "kiban node remove") {
		t.Errorf("%q", h)
	}
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r1", Doing: "node reboot c-1", Result: lifecycle.RunUnended}}
	if h := hint(); !strings.Contains(h, "kiban node reboot lab c-1 waits for it") || !strings.Contains(h, "kiban node replace lab c-1") {
		t.Errorf("it may be rebooting: %q", h)
	}
	st.Past.Runs = nil
	node, members := slices.Clone(st.Nodes), st.Etcd.Members
	st.Nodes = slices.DeleteFunc(node, func(n lifecycle.NodeState) bool { return n.Name == "c-1" })
	if h := hint(); !strings.Contains(h, "kiban node replace lab c-1") {
		t.Errorf("it is an etcd member still: %q", h)
	}
	st.Etcd.Members = nil // as after node replace: there is nothing to take out any more
	if h := hint(); strings.Contains(h, "kiban node") || !strings.Contains(h, "put another machine in its place, or take it out of") {
		t.Errorf("%q", h)
	}
	st.Etcd.Unknown = "timeout"
	if h := hint(); !strings.Contains(h, "kiban node replace lab c-1") {
		t.Errorf("nobody knows of etcd: %q", h)
	}
	st.Etcd = lifecycle.EtcdState{Members: members}
	st.API.Unknown = "timeout"
	if h := hint(); h == "" || strings.Contains(h, "kiban node") {
		t.Errorf("%q", h)
	}
}

// TestProblemsOfAPin: what was cut off is told, and how it goes on; of a soak that is well nothing.
func TestProblemsOfAPin(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	former := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	held, err := lifecycle.Emulating([]byte(`{}`), former)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*lifecycle.Pinned, *lifecycle.State)
		want   string
	}{
		"well":                  {func(*lifecycle.Pinned, *lifecycle.State) {}, ""},
		"a roll that stopped":   {func(p *lifecycle.Pinned, _ *lifecycle.State) { p.Soaks = time.Time{} }, "its soak has not begun"},
		"a commit that was cut": {func(p *lifecycle.Pinned, _ *lifecycle.State) { p.Ended, p.End = at, lifecycle.EndCommit }, "was begun"},
		"two controllers": {func(_ *lifecycle.Pinned, st *lifecycle.State) {
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: "c-2"})
		}, "can't go back as it stands"},
		"nothing is rolled, and one is away": {func(p *lifecycle.Pinned, st *lifecycle.State) {
			p.Soaks, st.Hosts[0].Problem = time.Time{}, lifecycle.HostUnreachable
		}, ""},
	} {
		site, st := problemSite()
		site.Policy.ControlPlane.Soak = 48 * time.Hour
		st.ObservedAt = at
		st.Hosts[0].Former, st.Hosts[0].Config, st.Hosts[0].PinHeld = former, held, true
		p := lifecycle.Pinned{Former: former, To: site.Cluster.Version, Since: at, Soaks: at}
		tt.change(&p, &st)
		st.Past.Pinned.Value = p
		ds := pinProblems(site, st)
		if (len(ds) == 1) != (tt.want != "") || len(ds) > 0 && !strings.Contains(ds[0].Summary, tt.want) {
			t.Errorf("%s: %v, want %q", name, ds, tt.want)
		}
	}
}
