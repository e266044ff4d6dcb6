package lifecycle

import (
	"strings"
	"testing"
	"time"
)

// lacking is what of want a text does not say.
func lacking(text string, want ...string) (lacks []string) {
	for _, w := range want {
		if !strings.Contains(text, w) {
			lacks = append(lacks, w)
		}
	}
	return lacks
}

// TestADeadControllerIsPutRight: what is said first is how it goes on with nothing lost, the backup comes last.
func TestADeadControllerIsPutRight(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		befall func(*Site, *State)
		says   []string
		not    string
	}{
		"it may be dead": {func(_ *Site, st *State) { st.Etcd.Members = []EtcdMember{{Name: "a"}, {Name: "b"}, {Name: "c"}} },
			[]string{"c: Bring it back. If it is dead: kiban node replace lab c", "joins by kiban apply lab, and can go back, too",
				"the two that stay can't go back alone", "Then kiban back lab works again, with nothing lost"}, ""},
		"it is taken out, and declared": {func(*Site, *State) {},
			[]string{"c: Bring it back, put another machine in its place, or take it out of the overlay: the cluster has nothing of it.",
				"joins by kiban apply lab"}, "kiban node replace"},
		"of four": {func(s *Site, st *State) {
			s.Cluster.Hosts = append(s.Cluster.Hosts, Host{Name: "d", Role: RoleController})
			st.Hosts = append(st.Hosts, HostState{Name: "d"})
		}, []string{"take it out of the overlay"}, "can't go back alone"},
		"no API answers": {func(_ *Site, st *State) { st.API = APIState{Unknown: "timeout"} },
			[]string{"c: Bring it back, or take it out of the overlay if it is gone for good."}, "kiban apply"},
		"it keeps kiban out": {func(_ *Site, st *State) { st.Hosts[2].Problem = HostSudo }, []string{"c: Allow user"}, "kiban node replace"},
	} {
		site, st, p := soakingSite(at)
		site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: "c", Role: RoleController})
		st.Hosts = append(st.Hosts, HostState{Name: "c", Problem: HostUnreachable, Why: "no route to host"})
		tt.befall(&site, &st)
		hint := p.Soaking(site, st, "a backup").Hint
		if lacks := lacking(hint, tt.says...); len(lacks) > 0 || tt.not != "" && strings.Contains(hint, tt.not) ||
			!strings.HasSuffix(hint, "\nOnly if none of that can be done: a backup") {
			t.Errorf("%s: it lacks %q: %s", name, lacks, hint)
		}
	}
}

// TestARollThatStoppedIsTold: of a first roll that stopped half-way it is said what is where, and that it can go either way.
func TestARollThatStoppedIsTold(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	p.Soaks = time.Time{}
	if d := p.Soaking(site, st, ""); !strings.Contains(d.Summary, "its soak has not begun") || !strings.Contains(d.Hint, "kiban apply lab") ||
		!strings.Contains(d.Hint, "kiban back lab") {
		t.Error(d)
	}
	st.Hosts[0].Running, st.Hosts[0].Binary, st.Hosts[0].Former = p.Former, p.Former, Version{}
	d := p.Soaking(site, st, "")
	if d.Summary != "a part of the control plane has v1.35.7+k0s.0, the rest v1.36.3+k0s.0" ||
		!strings.Contains(d.Detail, "Nothing is lost in either direction") ||
		d.Hint != "To go on: kiban apply lab. To take those back that have v1.36.3+k0s.0: kiban back lab" {
		t.Error(d)
	}
	st.Hosts[1].Former = Version{}
	if d := p.Soaking(site, st, ""); d.Summary !=
		"the control plane is on its way to v1.36.3+k0s.0 since 2026-11-03 09:00 UTC and can't go back as it stands" {
		t.Error(d)
	}
}

// TestTwoControllersNeedAThird: it is not said of two that they can go back: neither may restart.
func TestTwoControllersNeedAThird(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	st.Etcd.Members = []EtcdMember{{Name: "a"}, {Name: "b"}}
	d := p.Soaking(site, st, "")
	if lacks := lacking(d.Detail+d.Hint, "A third controller has to join first", "Declare a third controller, with v1.36.3+k0s.0",
		"kiban apply lab", "Then: kiban back lab"); len(lacks) > 0 || !strings.HasSuffix(d.Summary, "can't go back as it stands") {
		t.Errorf("%q: %v", lacks, d)
	}
	site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: "c", Role: RoleController})
	if few, is := p.TooFew(site, st); !is || !strings.HasPrefix(few.Hint, "One more is declared: kiban apply lab lets it join.") {
		t.Error(few)
	}
	for name, befall := range map[string]func(*State, *Pinned){
		"three":          func(st *State, _ *Pinned) { st.Etcd.Members = append(st.Etcd.Members, EtcdMember{Name: "c"}) },
		"no API answers": func(st *State, _ *Pinned) { st.API.Unknown = "timeout" }, // then nobody is disturbed
		"it is over":     func(_ *State, p *Pinned) { p.Ended = at },
	} {
		_, st, p := soakingSite(at)
		st.Etcd.Members = []EtcdMember{{Name: "a"}, {Name: "b"}}
		befall(&st, &p)
		if few, is := p.TooFew(site, st); is {
			t.Errorf("%s: %v", name, few)
		}
	}
}

// TestWhatWasCutOffIsTold: a commit, or the end of a way back, that is on record while controllers still have the pin.
func TestWhatWasCutOffIsTold(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	for end, want := range map[string][]string{
		"": nil,
		EndCommit: {"the commit of the control plane to v1.36.3+k0s.0 was begun", "a and b still act as v1.35.", "no way back",
			"kiban commit lab"},
		EndBack: {"is back at v1.35.7+k0s.0, and the pin is still", "kiban apply lab"},
	} {
		site, st, p := soakingSite(at)
		if p.End = end; end != "" {
			p.Ended = at
		}
		d, is := p.CutOff(site, st)
		if lacks := lacking(d.Summary+"\n"+d.Detail+"\n"+d.Hint, want...); is != (want != nil) || len(lacks) > 0 {
			t.Errorf("%q: %t, it lacks %q: %v", end, is, lacks, d)
		}
		for i := range st.Hosts {
			st.Hosts[i].Config = []byte(`{}`)
		}
		if d, is := p.CutOff(site, st); is {
			t.Errorf("%q, and all are through: %v", end, d)
		}
	}
}

// TestASoakThatIsOver: where the next apply commits it, no time that is past is said to be ahead.
func TestASoakThatIsOver(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	site, st, p := soakingSite(at)
	st.ObservedAt = at.Add(49 * time.Hour)
	if d := p.Soaking(site, st, ""); !strings.HasSuffix(d.Summary, "can go back until the next apply") ||
		!strings.Contains(d.Detail, "its time is over since 2026-11-05 09:00 UTC") {
		t.Error(d)
	}
	if s := p.SoaksWell(site, st); s == nil || !s.Over {
		t.Errorf("%+v", s)
	}
}

// TestThePinThatRemains: of a control plane that is back it is said what takes the pin away, by what is declared.
func TestThePinThatRemains(t *testing.T) {
	site, _, p := soakingSite(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	other := p.To
	other.Patch++
	for v, want := range map[Version]string{p.To: "declare it, and apply; that takes the pin away", p.Former: "kiban apply lab",
		other: "Declare v1.35.7+k0s.0, and apply: that takes the pin away"} {
		site.Cluster.Version = v
		if d := p.AtFormer(site); !strings.Contains(d.Hint, want) {
			t.Errorf("%s is declared: %v", v, d)
		}
	}
}
