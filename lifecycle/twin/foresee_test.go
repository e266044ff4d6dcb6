package twin

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestForesee: what the declaration and the lab tell is judged by them alone.
func TestForesee(t *testing.T) {
	site := lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Version: lifecycle.Version{Major: 1, Minor: 36, Patch: 3},
		Hosts: []lifecycle.Host{{Name: "controller-1", Role: lifecycle.RoleController}, {Name: "worker-3", Role: lifecycle.RoleWorker}}}}
	plays := LabVersion{Minors: []string{"1.35", "1.36"}, Faults: []string{"off", "ssh-hang"}}
	newer := site
	newer.Cluster.Version.Minor = 40
	const machines = "controller-1, worker-3"
	for name, c := range map[string]struct {
		site   lifecycle.Site
		faults []string
		says   []string // one for each finding
		hint   string
	}{
		"all is well": {site: site, faults: []string{"worker-3=off@drain", "all=off@worker-3/upgrade@v1.36.3+k0s.2",
			"kiban=kill@controller-1/upgrade#2", "worker-3=off@cluster/backup", "kiban=kill@addon/metallb/apply"}},
		"no such release":    {newer, nil, []string{"the lab can't play v1.40.3+k0s.0"}, "kiban ready tokyo"},
		"no such kind":       {site, []string{"worker-3=sshhang@cordon"}, []string{"knows no fault sshhang"}, "Did you mean ssh-hang?"},
		"no such step":       {site, []string{"worker-3=off@uprade"}, []string{"has a step that is called uprade"}, "Did you mean upgrade?"},
		"no such machine":    {site, []string{"worker-9=off@drain"}, []string{"No machine of the site is called worker-9"}, machines},
		"a step of no other": {site, []string{"kiban=kill@worker-9/drain"}, []string{"No machine of the site is called worker-9"}, machines},
		"all that is wrong": {newer, []string{"worker-3=melt@drain", "worker-3=off@melt"},
			[]string{"the lab can't play", "The lab knows no fault melt", "No plan has a step that is called melt"}, ""},
	} {
		faults, err := ParseFaults(c.faults)
		if err != nil {
			t.Fatal(err)
		}
		ds := lifecycle.AsDiagnostics(Foresee(c.site, Options{Plays: plays, Faults: faults}), "")
		if len(ds) != len(c.says) {
			t.Errorf("%s: %v", name, ds)
			continue
		}
		for i, says := range c.says {
			if !strings.Contains(ds[i].Error(), says) || !strings.Contains(ds[i].Hint, c.hint) {
				t.Errorf("%s: %s (%s)", name, ds[i].Error(), ds[i].Hint)
			}
		}
	}
}

// TestNothingToRehearse: a plan without steps needs no lab, whatever that can play, and is told as what it is.
func TestNothingToRehearse(t *testing.T) {
	old := lifecycle.Version{Major: 1, Minor: 30}
	s := Snapshot{Site: "tokyo", Machines: []SiteMachine{{Name: "c", Role: lifecycle.RoleController, Version: old}}}
	out, err := Rehearse(t.Context(), s, Options{Source: lifecycle.RehearsalLive})
	if err != nil || !out.Through() || out.Sentence() != "nothing to rehearse: the plan has no step" || out.Source != "live" {
		t.Errorf("%+v, %v", out, err)
	}
	s.Plan.Diagnostics = lifecycle.Diagnostics{lifecycle.Warnf("c", "odd"), lifecycle.Blockedf("c", "k0s does not go back")}
	out, err = Rehearse(t.Context(), s, Options{})
	if err != nil || out.Through() || out.Sentence() != "nothing was rehearsed: blocked by k0s does not go back" {
		t.Errorf("%+v, %v", out, err)
	}
}
