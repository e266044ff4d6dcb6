package lifecycle

import (
	"strings"
	"testing"
	"time"
)

// TestEmulating: what is pinned says so of all three programs, keeps the rest as it was, and can be told from what is not.
func TestEmulating(t *testing.T) {
	v := Version{Major: 1, Minor: 35, Patch: 7}
	declared := `{"spec":{"api":{"extraArgs":{"v":"4"},"port":6443,"sans":["a&b"]}}}`
	held, err := Emulating([]byte(declared), v)
	want := `{"spec":{"api":{"extraArgs":{"emulated-version":"1.35","v":"4"},"port":6443,"sans":["a&b"]},` +
		`"controllerManager":{"extraArgs":{"emulated-version":"1.35"}},"scheduler":{"extraArgs":{"emulated-version":"1.35"}}}}`
	if err != nil || string(held) != want {
		t.Errorf("got %s, %v", held, err)
	}
	for config, want := range map[string]string{
		string(held): "1.35", declared: "", "": "", "[]": "", "null": "",
		strings.Replace(string(held), `"1.35"`, `"kube=1.35"`, 1):    "1.35",
		strings.Replace(string(held), `"1.35"`, `"1.34"`, 1):         "",
		`{"spec":{"api":{"extraArgs":{"emulated-version":"1.35"}}}}`: "",
	} {
		if got := Emulated([]byte(config)); got != want {
			t.Errorf("%s acts as %q, want %q", config, got, want)
		}
	}
}

// soakingSite is a site whose two controllers soak since a moment, and can go back.
func soakingSite(at time.Time) (Site, State, Pinned) {
	former, to := Version{Major: 1, Minor: 35, Patch: 7}, Version{Major: 1, Minor: 36, Patch: 3}
	site := Site{Name: "lab", Policy: Policy{ControlPlane: TwoStep{Soak: 48 * time.Hour}}}
	site.Cluster.Version = to
	held, _ := Emulating([]byte(`{}`), former)
	st := State{ObservedAt: at}
	for _, name := range []string{"a", "b"} {
		site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: name, Role: RoleController})
		st.Hosts = append(st.Hosts, HostState{Name: name, ServiceName: "k0scontroller", Running: to, Binary: to, Former: former,
			Config: held, PinHeld: true, Acts: map[string]string{"kube-scheduler": "1.35"}})
		st.API.Servers = append(st.API.Servers, APIServer{Host: name, Emulates: "1.35"})
	}
	st.Nodes = []NodeState{{Name: "w", Kubelet: "v1.35.7+k0s"}}
	return site, st, Pinned{Former: former, To: to, Since: at, Soaks: at}
}

// TestSoakingIsTold: since when, until when it can go back, who says that it is for good, and that it can't any more.
func TestSoakingIsTold(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	p.Seen = at
	want := "the control plane soaks since 2026-11-03 09:00 UTC, and can go back until 2026-11-05 09:00 UTC"
	if got := p.Soaking(site, st, ""); got.Summary != want ||
		!strings.Contains(got.Detail, "on record that it could at 2026-11-03 09:00 UTC") {
		t.Error(got)
	}
	site.Policy.ControlPlane.Commit = CommitManual
	if got := p.Soaking(site, st, ""); !strings.HasSuffix(got.Summary, "until somebody commits it") ||
		strings.Contains(got.Detail, "is over") {
		t.Error(got)
	}
	st.ObservedAt = at.Add(49 * time.Hour)
	if got := p.Soaking(site, st, "").Detail; !strings.Contains(got, "is over") {
		t.Error(got)
	}
	st.Hosts[1].Former = Version{}
	if got := p.Soaking(site, st, ""); !strings.HasSuffix(got.Summary, "can't go back as it stands") ||
		!strings.Contains(got.Detail, "b no longer has k0s v1.35.7") || strings.Contains(got.Hint, "kiban commit") ||
		!strings.HasPrefix(got.Hint, "Put that right first") {
		t.Error(got)
	}
	st.Hosts[1].Former, st.Hosts[1].PinHeld = p.Former, false
	if got := p.Soaking(site, st, "a backup"); !strings.HasSuffix(got.Summary, "can no longer go back") ||
		!strings.HasSuffix(got.Hint, "a backup") {
		t.Error(got)
	}
}

// TestWhatIsDeclaredEndsASoak: until when it can go back is told by what the next apply does.
func TestWhatIsDeclaredEndsASoak(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		declare     func(*Site)
		until, says string
	}{
		"the former version": {func(s *Site) { s.Cluster.Version.Minor = 35; s.Cluster.Version.Patch = 7 }, "and goes back with the next apply",
			"that is declared"},
		"another version": {func(s *Site) { s.Cluster.Version.Minor = 37 }, "can go back until it is committed", "nothing goes there before"},
		"no soak any more": {func(s *Site) { s.Policy.ControlPlane = TwoStep{} }, "can go back until the next apply",
			"the next apply commits it"},
	} {
		site, st, p := soakingSite(at)
		tt.declare(&site)
		d := p.Soaking(site, st, "")
		if !strings.HasSuffix(d.Summary, tt.until) || !strings.Contains(d.Detail, tt.says) {
			t.Errorf("%s: %s: %s", name, d.Summary, d.Detail)
		}
		if p.SoaksWell(site, st) != nil {
			t.Errorf("%s: it is said to be as the site asks for", name)
		}
	}
}

// TestPartlyBackIsTold: where a way back was cut off, it is not said that the control plane runs the newer version.
func TestPartlyBackIsTold(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	st.Hosts[0].Running, st.Hosts[0].Binary, st.Hosts[0].Former = p.Former, p.Former, Version{}
	if p.SoaksWell(site, st) != nil {
		t.Error("it is said to soak")
	}
	d := p.Soaking(site, st, "")
	if d.Summary != "a part of the control plane has v1.35.7+k0s.0, the rest v1.36.3+k0s.0" ||
		!strings.HasPrefix(d.Detail, "a has v1.35.7+k0s.0; the others act as v1.35. ") ||
		d.Hint != "To take the others back, too: kiban back lab. To go forth again: kiban apply lab" {
		t.Error(d)
	}
	if site.Cluster.Version = p.Former; strings.Contains(p.Soaking(site, st, "").Hint, "kiban apply") {
		t.Error("the former version is declared, and apply is said to lead forth")
	}
}

// TestSoaksWell: a soak that nobody has to do anything about is none of a site's problems.
func TestSoaksWell(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	manual := func(s *Site) { s.Policy.ControlPlane.Commit = CommitManual }
	for name, tt := range map[string]struct {
		declare func(*Site)
		befall  func(*State, *Pinned)
		after   time.Duration
		want    string
	}{
		"as asked for": {want: "can go back until 2026-11-05 09:00 UTC"},
		"by hand":      {declare: manual, want: "can go back until somebody commits it"},
		"its time is over": {after: 49 * time.Hour,
			want: "can go back until somebody applies or commits: the soak is over since 2026-11-05 09:00 UTC"},
		"two that can't lose one": {befall: func(st *State, _ *Pinned) { st.Etcd.Members = make([]EtcdMember, 2) }},
		"over, and by hand":       {declare: manual, after: 49 * time.Hour},
		"a controller is away":    {befall: func(st *State, _ *Pinned) { st.Hosts[0].Problem = HostUnreachable }},
		"it was seen otherwise":   {befall: func(_ *State, p *Pinned) { p.Why = []string{"it acted as v1.36."} }},
		"the roll is under way":   {befall: func(_ *State, p *Pinned) { p.Soaks = time.Time{} }},
		"it is committed":         {befall: func(_ *State, p *Pinned) { p.Ended = at }},
	} {
		site, st, p := soakingSite(at)
		if tt.declare != nil {
			tt.declare(&site)
		}
		if tt.befall != nil {
			tt.befall(&st, &p)
		}
		st.ObservedAt = at.Add(tt.after)
		got := ""
		if s := p.SoaksWell(site, st); s != nil {
			got = s.CanGoBack()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestWhoWaitsForTheCommit: workers at the former version or below do, and nobody else.
func TestWhoWaitsForTheCommit(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, _, p := soakingSite(at)
	older := Version{Major: 1, Minor: 35, Patch: 6}
	for _, tt := range []struct {
		role Role
		runs Version
		want bool
	}{{RoleWorker, p.Former, true}, {RoleWorker, older, true}, {RoleWorker, p.To, false}, {RoleController, p.Former, false}} {
		if got := p.Waits(site, Host{Role: tt.role}, tt.runs); got != tt.want {
			t.Errorf("%s at %s: %t", tt.role, tt.runs, got)
		}
	}
	if site.Cluster.Version = p.Former; p.Waits(site, Host{Role: RoleWorker}, older) {
		t.Error("the former version is declared, and a worker is said to wait for the commit")
	}
}

// TestAllBackIsNoSoak: a control plane that went back does not soak, and its next soak begins anew. One whose controllers are not all known
// to be back does.
func TestAllBackIsNoSoak(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	if p.AllBack(site, st) || p.Looked(site, st).Soaks.IsZero() {
		t.Error("it soaks, and is said to be back")
	}
	for i := range st.Hosts {
		if p.AllBack(site, st) {
			t.Errorf("%d of its controllers are back, and it is said of all", i)
		}
		st.Hosts[i].Running, st.Hosts[i].Binary, st.Hosts[i].Former = p.Former, p.Former, Version{}
	}
	if got := p.Looked(site, st); !p.AllBack(site, st) || !got.Soaks.IsZero() || !got.Open() {
		t.Errorf("it is back, and the record has %+v", got)
	}
	st.Hosts[0].Problem = HostUnreachable
	if p.AllBack(site, st) {
		t.Error("one that does not answer is taken for one that is back")
	}
	for version, want := range map[Version]string{p.To: "declare it, and apply", p.Former: "kiban apply lab"} {
		site.Cluster.Version = version
		if d := p.AtFormer(site); !strings.Contains(d.Summary, "has v1.35.7") || !strings.Contains(d.Hint, want) {
			t.Errorf("%s is declared: %v", version, d)
		}
	}
}

// TestLooked: a look keeps when there was a way back last, and the first that finds it gone for good ends that, whatever is seen later.
// What may come right by itself does neither.
func TestLooked(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		befall     func(*State, *Pinned)
		seen, lost bool
	}{
		"all is well":              {func(*State, *Pinned) {}, true, false},
		"before the roll":          {func(st *State, p *Pinned) { st.Hosts[0].Running, st.Hosts[0].Binary = p.Former, p.Former }, true, false},
		"a controller is away":     {func(st *State, _ *Pinned) { st.Hosts[0].Problem = HostUnreachable }, false, false},
		"its former k0s is gone":   {func(st *State, _ *Pinned) { st.Hosts[0].Former = Version{} }, false, false},
		"a newer kubelet":          {func(st *State, _ *Pinned) { st.Nodes[0].Kubelet = "v1.36.3+k0s" }, false, false},
		"no pin in its k0s.yaml":   {func(st *State, _ *Pinned) { st.Hosts[0].Config = []byte(`{}`) }, false, true},
		"written since":            {func(st *State, _ *Pinned) { st.Hosts[0].PinHeld = false }, false, true},
		"an API server acts so":    {func(st *State, _ *Pinned) { st.API.Servers[1].Emulates = "1.36" }, false, true},
		"a scheduler acts so":      {func(st *State, _ *Pinned) { st.Hosts[1].Acts["kube-scheduler"] = "1.36" }, false, true},
		"it is committed":          {func(_ *State, p *Pinned) { p.Ended, p.End = at, EndCommit }, false, false},
		"no control plane is held": {func(_ *State, p *Pinned) { *p = Pinned{} }, false, false},
	} {
		site, st, p := soakingSite(at)
		tt.befall(&st, &p)
		st.ObservedAt = at.Add(time.Hour)
		got := p.Looked(site, st)
		if !got.Seen.IsZero() != tt.seen || !got.Lost.IsZero() != tt.lost || (len(got.Why) > 0) != tt.lost {
			t.Errorf("%s: seen %s, lost %s, %q", name, got.Seen, got.Lost, got.Why)
		}
		_, well, _ := soakingSite(at)
		well.ObservedAt = at.Add(2 * time.Hour)
		if again := got.Looked(site, well); tt.lost && (!again.Lost.Equal(st.ObservedAt) || !again.Seen.IsZero()) {
			t.Errorf("%s, and put right: %+v", name, again)
		}
	}
}
