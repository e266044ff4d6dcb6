package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// surveyed is a site of three machines, all well, and what a survey told of it.
func surveyed(name string) (lifecycle.Site, lifecycle.Survey) {
	v := lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
	site := lifecycle.Site{Name: name, Wave: 2, Labels: map[string]string{"tier": "production", "region": "kanto"}, Digest: "sha256:aa",
		Revision: "0123456789abcdef", Promotion: lifecycle.Promotion{From: []string{"tokyo-staging"}, Soak: 72 * time.Hour},
		Addons:  []lifecycle.Addon{{Name: "metallb", Chart: &lifecycle.Chart{Name: "metallb", Version: "0.16.2"}}},
		Tenants: []lifecycle.Tenant{{Name: "shop"}}, Backup: lifecycle.Backups{To: []lifecycle.BackupTo{{Folder: "/srv/backups"}}}}
	site.Cluster.Version = v
	st := lifecycle.State{Site: name, ObservedAt: noon, API: lifecycle.APIState{ClusterUID: "u"},
		Units: []lifecycle.UnitState{{Name: "addon/metallb", Declared: true, Installed: true, Release: lifecycle.Release{Version: "0.16.2"},
			Health: lifecycle.Health{Status: lifecycle.HealthCurrent}}, {Name: "tenant/shop"}}}
	for i := range 3 {
		host := fmt.Sprintf("%s-%d", name, i+1)
		site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: host, Role: lifecycle.RoleControllerWorker})
		st.Hosts = append(st.Hosts, lifecycle.HostState{Name: host, OS: "ubuntu 24.04", Kernel: "6.8.0", Arch: "amd64", Running: v, Binary: v,
			ServiceName: "k0scontroller", Service: lifecycle.ServiceRunning,
			Certificates: []lifecycle.Certificate{{Name: "server", NotAfter: noon.AddDate(0, 3, 0), Renewed: lifecycle.RenewedByStart},
				{Name: "etcd/peer", NotAfter: noon.AddDate(0, 2, i), Renewed: lifecycle.RenewedByStart},
				{Name: "ca", NotAfter: noon.AddDate(9, 0, 0), Renewed: lifecycle.RenewedByHand}}})
		st.Nodes = append(st.Nodes, lifecycle.NodeState{Name: host, Ready: true, Kubelet: v.Kubelet()})
	}
	runs := make([]lifecycle.RunRecord, 24)
	for i := range runs {
		runs[i] = lifecycle.RunRecord{Format: "1.0", ID: fmt.Sprintf("20261128-%04d", 1200-i), Site: name, Result: lifecycle.RunDone,
			Began: noon.Add(-time.Duration(i+1) * time.Hour), Ended: noon.Add(-time.Duration(i) * time.Hour), Doing: "apply",
			Before: []lifecycle.Version{v}, After: []lifecycle.Version{v}, Took: []lifecycle.Took{{Action: lifecycle.ActionDrain, Steps: 1}}}
	}
	kept := lifecycle.KeptBackup{Name: name + ".tar.gz", Place: "/srv/backups", Version: v, Taken: "2026-11-27T12:00:00Z", Size: 12345,
		Contents: lifecycle.Contents{Objects: map[string]lifecycle.Amount{"pods": {}}}, Proven: &lifecycle.Proof{At: "2026-11-20T12:00:00Z"}}
	return site, lifecycle.Survey{State: st,
		Locks: lifecycle.Answer[[]lifecycle.Lock]{Value: []lifecycle.Lock{{Holder: "20261128-1200", Epoch: 7}}},
		Plan: lifecycle.Plan{Site: name, Target: v, Steps: []lifecycle.Step{{ID: name + "-1/cordon", Reason: "to upgrade", Disrupts: true}},
			Diagnostics: lifecycle.Diagnostics{lifecycle.Blockedf(name, "the window is closed"), lifecycle.Warnf(name, "a warning")}},
		Readiness: lifecycle.Answer[lifecycle.Readiness]{Value: lifecycle.Readiness{Site: name, To: lifecycle.Version{Major: 1, Minor: 37},
			Findings: []lifecycle.ReadinessFinding{{Rank: lifecycle.RankBlocks, Subject: "addon x", Summary: "breaks"},
				{Rank: lifecycle.RankGood}},
			Unseen: []lifecycle.Unseen{{What: "webhooks", Why: "refused"}}}},
		Soak:    lifecycle.Answer[lifecycle.Soak]{Value: lifecycle.Soak{Format: "1.0", Site: name, Observed: noon, Healthy: true}},
		Runs:    lifecycle.Answer[[]lifecycle.RunRecord]{Value: runs},
		Backups: lifecycle.Answer[[]lifecycle.KeptBackup]{Value: []lifecycle.KeptBackup{kept}},
		Tenants: lifecycle.Answer[[]lifecycle.TenantUse]{Value: []lifecycle.TenantUse{{Tenant: "shop", Namespace: "shop",
			Resources: []lifecycle.ResourceUse{{Name: "requests.cpu", Used: "8", Hard: "10", Share: 0.8}}}}}}
}

func dueIn(days int) func(lifecycle.Version) (calendar.Entry, bool) {
	return func(lifecycle.Version) (calendar.Entry, bool) {
		return calendar.Entry{Site: "x", Runs: "1.36", Ends: noon.AddDate(0, 0, 90).Truncate(24 * time.Hour), Slack: days}, true
	}
}

// collected is what a collect keeps of that site.
func collected(name string, at time.Time) Collected {
	site, v := surveyed(name)
	c := Asking{Site: name, At: at, By: "v1.2.3"}.Learnt(site, v, lifecycle.Diagnostics{lifecycle.Warnf(name+"-2", "the disk is full")}, nil,
		dueIn(11))
	c.Declares(Declares(site, []string{"overlays/x/site.yaml", "clusters/components/metallb/addon.yaml", "clusters/components/metallb",
		"clusters/base/cluster.yaml"}))
	return c
}

func TestLearnt(t *testing.T) {
	c := collected("tokyo-prod", noon)
	for _, p := range c.parts() {
		if when, unknown := p.learnt(); !when.Equal(noon) || unknown != "" {
			t.Errorf("%s: at %s, unknown %q", p.name, when, unknown)
		}
	}
	d := c.Declared.Value
	if c.Revision != "0123456789abcdef" || d.Wave != 2 || d.Controllers != 3 || len(d.Components) != 1 || d.Components[0] != "metallb" ||
		d.Addons[0] != (DeclaredAddon{"metallb", "metallb", "0.16.2"}) || d.BackupTo[0] != "/srv/backups" || d.Promotion.Soak != 72*time.Hour {
		t.Errorf("declared: %+v", d)
	}
	if s := c.Standing.Value; s.Reached != 3 || s.Ready != 3 || s.Proven != "2026-11-20T12:00:00Z" || len(s.Problems) != 1 {
		t.Errorf("standing: %+v", s)
	}
	if got := c.Drift.Value; got.Steps != 1 || got.Disrupts != 1 || got.First[0] != "tokyo-prod-1/cordon: to upgrade" ||
		len(got.Stops) != 1 || got.Warnings != 1 || got.Settled() || got.Meaning == "" {
		t.Errorf("drift: %+v", got)
	}
	if got := c.Ready.Value; got.Ready || got.Blocks != 1 || got.Good != 1 || got.Unseen != 1 || len(got.First) != 2 ||
		got.First[1] != "not looked at: webhooks: refused" {
		t.Errorf("ready: %+v", got)
	}
	if got := c.Runs.Value; len(got) != RunsKept || got[0].Took != nil || got[0].ID != "20261128-1200" {
		t.Errorf("runs: %d, %+v", len(got), got[0])
	}
	if got := c.Backups.Value; got.Count != 1 || got.Newest[0].Contents.Objects != nil || got.Proven == nil {
		t.Errorf("backups: %+v", got)
	}
	if got := c.Certificates.Value; len(got) != 6 || got[0].Name != "etcd/peer" || got[0].Host != "tokyo-prod-1" || got[5].Name != "ca" {
		t.Errorf("certificates: %+v", got)
	}
	if got := c.Addons.Value; len(got) != 1 || !got[0].Well || got[0].Version != "0.16.2" {
		t.Errorf("addons: %+v", got)
	}
	a, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	again := collected("tokyo-prod", noon)
	if b, err := again.encode(); err != nil || string(a) != string(b) {
		t.Errorf("the same observation has another content: %v", err)
	}
	back, err := parseCollected("f", "tokyo-prod", a, noon)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := back.encode(); err != nil || string(a) != string(b) {
		t.Errorf("reading and writing changes it: %v\n%s\n%s", err, a, b)
	}
}

// Each part says for itself that it is not known, and the others stay known.
func TestLearntInPart(t *testing.T) {
	change := map[string]func(*lifecycle.Site, *lifecycle.Survey){
		"locks":   func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Locks.Unknown = "refused" },
		"ready":   func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Readiness.Unknown = "refused" },
		"soak":    func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Soak.Unknown = "refused" },
		"pinned":  func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Pinned.Unknown = "refused" },
		"runs":    func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Runs.Unknown = "refused" },
		"backups": func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Backups.Unknown = "refused" },
		"tenants": func(_ *lifecycle.Site, v *lifecycle.Survey) { v.Tenants.Unknown = "refused" },
		"addons":  func(_ *lifecycle.Site, v *lifecycle.Survey) { v.State.API.Unknown = "refused" },
		"drift": func(_ *lifecycle.Site, v *lifecycle.Survey) {
			v.Plan.Diagnostics = append(v.Plan.Diagnostics, lifecycle.Errorf("x", "a controller is away").Because("no route", "at all"))
		},
		"support": func(site *lifecycle.Site, _ *lifecycle.Survey) { site.Provider = lifecycle.ProviderExternal },
	}
	for name, change := range change {
		site, v := surveyed("osaka")
		change(&site, &v)
		c := Asking{Site: "osaka", At: noon}.Learnt(site, v, nil, nil, dueIn(1))
		c.Declares(Declares(site, nil))
		for _, p := range c.parts() {
			if when, unknown := p.learnt(); (unknown != "") != (p.name == name) || when.IsZero() != (p.name == name) {
				t.Errorf("%s: %s is unknown: %q, at %s", name, p.name, unknown, when)
			}
		}
		if why := c.Drift.Unknown; name == "drift" && why != "a controller is away: no route" {
			t.Errorf("drift: %q", why)
		}
	}
}

// A site that nobody can ask has failed, whatever is planned for it; what was known keeps its time.
func TestFailedCarriesOver(t *testing.T) {
	dir := t.TempDir()
	before := collected("tokyo", noon)
	if told, err := Keep(dir, before, noon); err != nil || told != nil {
		t.Fatal(told, err)
	}
	site, v := surveyed("tokyo")
	v.State.API.Unknown = "no route"
	for i := range v.State.Hosts {
		v.State.Hosts[i].Problem, v.State.Hosts[i].Why = lifecycle.HostUnreachable, "no route"
	}
	later := noon.Add(2 * time.Hour)
	failed := Asking{Site: "tokyo", At: later, By: "v1.2.4"}.Learnt(site, v, nil, nil, dueIn(1))
	if failed.Failed != "nothing is known of the site: 0 of 3 machines answered" {
		t.Errorf("failed: %q", failed.Failed)
	}
	failed.Declares(Declares(site, nil))
	if _, err := Keep(dir, failed, later); err != nil {
		t.Fatal(err)
	}
	all, found, err := ReadCollected(dir, later)
	if err != nil || len(found) > 0 || len(all) != 1 {
		t.Fatal(all, found, err)
	}
	c := all[0]
	if _, now := c.Declared.Now(); !now || !c.Declared.At.Equal(later) || c.Failed == "" || !c.Asked.Equal(later) || c.By != "v1.2.4" {
		t.Errorf("%+v", c)
	}
	if _, now := c.Standing.Now(); now {
		t.Error("what was seen before is told as what is")
	}
	s, when, had := c.Standing.Last()
	if !had || !when.Equal(noon) || s.Reached != 3 || c.Standing.Unknown == "" || !reflect.DeepEqual(c.Tenants.Value, before.Tenants.Value) {
		t.Errorf("%+v at %s", s, when)
	}
	// A collect that was slower writes nothing over it.
	if _, err := Keep(dir, collected("tokyo", noon.Add(time.Hour)), later); err != nil {
		t.Fatal(err)
	}
	if all, _, _ = ReadCollected(dir, later); !all[0].Asked.Equal(later) {
		t.Errorf("an older look took the place of a newer: %s", all[0].Asked)
	}
	for file, mode := range map[string]fs.FileMode{"": 0o700, "tokyo.json": 0o600} {
		if st, err := os.Stat(filepath.Join(dir, file)); err != nil || file != "" && st.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", file, st.Mode(), err)
		}
	}
}

// What can't be used is told, each with its reason, and the others are read.
func TestReadCollected(t *testing.T) {
	dir := t.TempDir()
	good, err := collected("good", noon).encode()
	if err != nil {
		t.Fatal(err)
	}
	as := func(name, old, new string) string {
		s := strings.ReplaceAll(string(good), `"site": "good"`, `"site": "`+name+`"`)
		if old != "" && !strings.Contains(s, old) {
			t.Fatalf("%s: no %s in it", name, old)
		}
		return strings.Replace(s, old, new, 1)
	}
	for name, file := range map[string]struct{ content, says string }{
		"good.json":      {string(good), ""},
		"a-b.json":       {as("a-b", "", ""), ""},
		".new-12":        {"half", ""},
		"other.json":     {string(good), `it is of the site "good"`},
		"good (1).json":  {string(good), "its name is not SITE.json"},
		"notes.txt":      {"x", "its name is not SITE.json"},
		"<b>.json":       {as("<b>", "", ""), "its name is not SITE.json"},
		"empty.json":     {"", "it is empty"},
		"cut.json":       {as("cut", "", "")[:len(good)/2], "unexpected end of JSON input"},
		"newer.json":     {as("newer", CollectedVersion, "kiban.dev/v2"), `its apiVersion is "kiban.dev/v2", and this one reads kiban.dev/v1alpha1`},
		"newform.json":   {`{"apiVersion": "kiban.dev/v2", "kind": "CollectedSite", "asked": [1]}`, `its apiVersion is "kiban.dev/v2"`},
		"soak.json":      {`{"format": "1.0", "site": "soak"}`, `its kind is "", not CollectedSite`},
		"list.json":      {`[]`, `its kind is ""`},
		"future.json":    {as("future", noon.Format(time.RFC3339), noon.Add(time.Hour).Format(time.RFC3339)), "a clock is wrong"},
		"part.json":      {as("part", `"tenants": {`+"\n  "+`"at": "2026-11-28T12`, `"tenants": {"at": "2026-11-28T13`), "tenants is from 2026-11-28 13:00 UTC"},
		"asked.json":     {as("asked", `"asked": "2026-11-28T12:00:00Z",`, ""), "it does not say when the site was asked"},
		"wrong.json":     {as("wrong", `"wave": 2`, `"wave": "two"`), "cannot unmarshal string"},
		"large.json":     {strings.Repeat(" ", MaxCollected+1), "are the most"},
		"null.json":      {"null", `its kind is ""`},
		"twice-bad.json": {"{\n\n\n]", "invalid character"},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(file.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if file.says == "" {
			continue
		}
		_, err := readOne(dir, name, noon)
		if err == nil || !strings.Contains(err.Error(), file.says) {
			t.Errorf("%s: %v, want %q", name, err, file.says)
		}
	}
	// A link is none, wherever it leads.
	if err := errors.Join(os.Symlink("/etc/passwd", filepath.Join(dir, "link.json")),
		os.WriteFile(filepath.Join(dir, ".aside"), []byte(as("aside", "", "")), 0o600), os.Symlink(".aside", filepath.Join(dir, "aside.json")),
		os.Mkdir(filepath.Join(dir, "dir.json"), 0o700)); err != nil {
		t.Fatal(err)
	}
	all, found, err := ReadCollected(dir, noon)
	if err != nil || len(all) != 2 || all[0].Site != "a-b" || all[1].Site != "good" || len(found) != 20 {
		t.Errorf("%d read, %d found, %v", len(all), len(found), err)
	}
	for _, d := range found {
		if d.Severity != lifecycle.SeverityWarning || d.Hint == "" {
			t.Errorf("%+v", d)
		}
	}
	if _, err := readOne(dir, "twice-bad.json", noon); !strings.Contains(err.Error(), "twice-bad.json:4:") {
		t.Errorf("no line: %v", err)
	}
	if _, _, err := ReadCollected(filepath.Join(dir, "none"), noon); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What an older kiban did not keep is not known, and what is older than the question is not what is.
func TestOlderParts(t *testing.T) {
	content := `{"apiVersion": "kiban.dev/v1alpha1", "kind": "CollectedSite", "site": "x", "asked": "2026-11-28T12:00:00Z", "by": "v0.9.0",
		"standing": {"at": "2026-11-28T11:00:00Z", "value": {"site": "x", "reached": 3}}, "later": {"at": 7}}`
	c, err := parseCollected("f", "x", []byte(content), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, now := c.Standing.Now(); now || c.Standing.Unknown != "it was not learnt when the site was asked last" ||
		c.Standing.Value.Reached != 3 {
		t.Errorf("%+v", c.Standing)
	}
	if _, now := c.Tenants.Now(); now || c.Tenants.Unknown != "kiban v0.9.0, which asked, does not keep it" {
		t.Errorf("%+v", c.Tenants)
	}
}

func TestLeft(t *testing.T) {
	dir := t.TempDir()
	for _, site := range []string{"osaka", "tokyo"} {
		if _, err := Keep(dir, collected(site, noon), noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, prune := range []bool{false, true} {
		left, err := Left(dir, []string{"tokyo"}, prune, noon)
		if err != nil || len(left) != 1 || left[0] != "osaka" {
			t.Errorf("%v, %v", left, err)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 || entries[0].Name() != "package.json" {
		t.Errorf("%v", entries)
	}
	if _, err := Keep(dir, Collected{Site: "../evil"}, noon); err == nil {
		t.Error("a file was written outside of the folder")
	}
}

func FuzzReadCollected(f *testing.F) {
	good, err := collected("x", noon).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"apiVersion":"kiban.dev/v2","kind":"CollectedSite"}`))
	f.Add([]byte(`{"apiVersion":"kiban.dev/v1alpha1","kind":"CollectedSite","site":"x","asked":"2026-11-28T12:00:00Z","soak":{"value":{"site":"y"}}}`))
	f.Add(good[:len(good)/3])
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parseCollected("x.json", "x", content, noon)
		if err != nil {
			if d := lifecycle.AsDiagnostics(err, "")[0]; d.Hint == "" || d.Detail == "" {
				t.Errorf("a finding without a reason or a way on: %+v", d)
			}
			return
		}
		if c.Site != "x" || c.Asked.IsZero() || c.Asked.Sub(noon) > clockSkew {
			t.Errorf("site %q at %s", c.Site, c.Asked)
		}
		for _, p := range c.parts() {
			if when, unknown := p.learnt(); unknown == "" && !when.Equal(c.Asked) || when.After(c.Asked) {
				t.Errorf("%s of %s counts as known at %s", p.name, when, c.Asked)
			}
		}
		if _, err := c.encode(); err != nil {
			t.Error(err)
		}
	})
}
