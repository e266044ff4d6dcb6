package page

import (
	"fmt"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/fleet"
)

// at is the moment for which the pages of the tests hold.
func at() time.Time { return time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC) }

func version(t testing.TB, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func known[T any](asked time.Time, v T) fleet.Part[T] { return fleet.Part[T]{At: asked, Value: v} }

// unknown has a part be of a day before, or never known where that is zero.
func unknown[T any](p *fleet.Part[T], then time.Time, why string) {
	if p.At, p.Unknown = then, why; then.IsZero() {
		var none T
		p.Value = none
	}
}

// well is a site with which all is well: k0s 1.36, a run the week before.
func well(t testing.TB, name string, wave int, labels map[string]string) fleet.Collected {
	asked := at().Add(-10 * time.Minute)
	runs, next := version(t, "v1.36.3+k0s.2"), version(t, "v1.37.1+k0s.0")
	began := asked.Add(-7 * 24 * time.Hour)
	c := fleet.Collected{APIVersion: fleet.CollectedVersion, Kind: fleet.CollectedKind, Site: name, Asked: asked, By: "v1.0.0",
		Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d"}
	c.Declared = known(asked, fleet.Declaration{Revision: c.Revision, Digest: "sha256:aa", Wave: wave, Labels: labels,
		Provider: lifecycle.ProviderK0s, Version: runs, Controllers: 1, Workers: 2, Components: []string{"argocd-ha", "baseline", "metallb"},
		Addons: []fleet.DeclaredAddon{{Name: "argocd", Chart: "argo-cd", Version: "9.1.4"}, {Name: "metallb", Chart: "metallb",
			Version: "0.15.3"}},
		Tenants: []string{"product-a"}, BackupTo: []string{"s3 https://s3.example.com/backups"}, Proven: 30 * 24 * time.Hour})
	c.Standing = known(asked, fleet.Standing{Site: name, Declared: runs.String(), Running: []string{runs.String()}, Machines: 3, Reached: 3,
		Nodes: 3, Ready: 3})
	for i, role := range []lifecycle.Role{lifecycle.RoleController, lifecycle.RoleWorker, lifecycle.RoleWorker} {
		c.Machines.Value = append(c.Machines.Value, fleet.Machine{Name: fmt.Sprintf("%s-%d", name, i+1), Role: role, OS: "Flatcar 4459.2.1",
			Kernel: "6.12.61-flatcar", Arch: "amd64", Version: runs})
	}
	c.Machines.At = asked
	c.Addons = known(asked, []fleet.InstalledAddon{{Name: "argocd", Version: "9.1.4", Installed: true, Declared: true, Well: true},
		{Name: "metallb", Version: "0.15.3", Installed: true, Declared: true, Well: true}})
	c.Support = known(asked, calendar.Entry{Site: name, Runs: "1.36", Target: "1.37", Hops: 1, Ends: time.Date(2027, 6, 28, 0, 0, 0, 0,
		time.UTC),
		OpenBy: time.Date(2027, 5, 20, 0, 0, 0, 0, time.UTC), First: name, Off: time.Date(2027, 6, 20, 0, 0, 0, 0, time.UTC), Slack: 173,
		Assumed: []string{name + " is upgraded by one minor in 1 h, 20 minutes for each of 3 machines."}})
	c.Ready = known(asked, fleet.Foresight{To: next, Ready: true, Good: 41, Verdict: "Ready for v1.37.1+k0s.0: nothing is in the way."})
	c.Drift = known(asked, fleet.Drift{Meaning: "aa"})
	c.Soak = known(asked, lifecycle.Soak{Format: lifecycle.SoakFormat, Site: name, Observed: asked, Healthy: true,
		Versions: []lifecycle.SoakVersion{
			{Name: "chart/metallb", Version: "0.15.4", Since: asked.Add(-31 * time.Hour), Longest: 31 * time.Hour, Runs: true}}})
	c.Pinned, c.Locks = known(asked, lifecycle.Pinned{}), known(asked, []lifecycle.Lock(nil))
	c.Runs = known(asked, []lifecycle.RunRecord{{Format: lifecycle.RunFormat, ID: began.Format("20060102-150405") + "-abcdef", Site: name,
		Who:   "ann",
		Where: "https://gitlab.example.com/infra/fleet/-/jobs/4711", Doing: "apply of revision 3f2a1c9d5e", Revision: c.Revision, Began: began,
		Ended: began.Add(14 * time.Minute), Result: lifecycle.RunDone, Before: []lifecycle.Version{version(t, "v1.35.7+k0s.0")},
		After: []lifecycle.Version{runs}, Steps: 21, Begun: 21, Done: 21, Machines: 3}})
	c.Backups = known(asked, fleet.Backups{Count: 2, Newest: []lifecycle.KeptBackup{{Name: name + "-20261127.tar.gz.age",
		Place: "s3 https://s3.example.com/backups", Version: runs, Taken: asked.Add(-26 * time.Hour).Format(time.RFC3339), Encrypted: true,
		Verified: asked.Add(-25 * time.Hour).Format(time.RFC3339)}},
		Proven: &lifecycle.Proof{Backup: name + "-20261120.tar.gz.age", At: asked.Add(-8 * 24 * time.Hour).Format(time.RFC3339), Objects: 812}})
	c.Certificates = known(asked, []fleet.HostCertificate{{Host: name + "-1", Certificate: lifecycle.Certificate{Name: "server",
		NotBefore: began, NotAfter: began.AddDate(1, 0, 0), Renewed: lifecycle.RenewedByStart}}})
	c.Tenants = known(asked, []lifecycle.TenantUse{{Tenant: "product-a", Namespace: "product-a", Declared: true,
		Resources: []lifecycle.ResourceUse{
			{Name: "pods", Used: "12", Hard: "50", Share: 0.24}, {Name: "requests.cpu", Used: "3500m", Hard: "20", Share: 0.175},
			{Name: "requests.memory", Used: "9Gi", Hard: "40Gi", Share: 0.225}}}})
	return c
}

// silent is a site that did not answer now, and did days days before; 0: it never did.
func silent(c *fleet.Collected, days int) {
	then, why := time.Time{}, "no machine answered: dial tcp 10.1.0.11:22: i/o timeout"
	if days > 0 {
		then = c.Asked.Add(-time.Duration(days) * 24 * time.Hour)
	}
	c.Failed = why
	unknown(&c.Standing, then, why)
	unknown(&c.Machines, then, why)
	unknown(&c.Addons, then, why)
	unknown(&c.Support, then, why)
	unknown(&c.Ready, then, why)
	unknown(&c.Drift, then, why)
	unknown(&c.Soak, then, why)
	unknown(&c.Pinned, then, why)
	unknown(&c.Locks, then, why)
	unknown(&c.Runs, then, why)
	unknown(&c.Backups, then, why)
	unknown(&c.Certificates, then, why)
	unknown(&c.Tenants, then, why)
}

// unsupportedSite runs a minor without support, and drifts.
func unsupportedSite(t testing.TB, c *fleet.Collected) {
	old := version(t, "v1.34.9+k0s.0")
	c.Standing.Value.Running, c.Standing.Value.Declared = []string{old.String()}, old.String()
	c.Declared.Value.Version = old
	c.Support.Value = calendar.Entry{Site: c.Site, Runs: "1.34", Target: "1.36", Hops: 2, Ends: time.Date(2026, 10, 27, 0, 0, 0, 0,
		time.UTC),
		OpenBy: time.Date(2026, 9, 11, 0, 0, 0, 0, time.UTC), First: c.Site, Off: time.Date(2026, 10, 26, 0, 0, 0, 0, time.UTC), Slack: -78}
	c.Ready.Value = fleet.Foresight{To: version(t, "v1.35.7+k0s.0"), Blocks: 2, Attention: 1, Good: 30,
		Verdict: "Not ready for v1.35.7+k0s.0: 2 findings are in the way.",
		First:   []string{"containerd 1.7 is set by a drop-in that 1.35 does not read", "a webhook without a backend"}}
	c.Drift.Value = fleet.Drift{Steps: 4, Disrupts: 2, Meaning: "bb", First: []string{"worker-1/configure: the kubelet's arguments differ",
		"worker-2/configure: the kubelet's arguments differ"}}
}

// failedSite had its last run fail in the night.
func failedSite(t testing.TB, c *fleet.Collected) {
	r := c.Runs.Value[0]
	r.ID, r.Began, r.Ended = "20261127-221000-fedcba", at().Add(-5*time.Hour), at().Add(-290*time.Minute)
	r.Result, r.Done, r.Failed, r.Begun = lifecycle.RunFailed, 11, 1, 12
	r.Failures = []lifecycle.Failure{{Action: "drain", Role: lifecycle.RoleWorker, Version: version(t, "v1.36.3+k0s.2"),
		Why: "the budget shop/web allows no disruption", Where: c.Site + "-3"}}
	c.Runs.Value = append([]lifecycle.RunRecord{r}, c.Runs.Value...)
	c.Drift.Value = fleet.Drift{Steps: 9, Disrupts: 3, Meaning: "cc", First: []string{c.Site + "-3/upgrade: it runs v1.35.7+k0s.0"}}
	c.Standing.Value.Problems = lifecycle.Diagnostics{lifecycle.Errorf(c.Site+"-3", "the node is cordoned").Because("Run " + r.ID +
		" left it so.")}
}

// population is a fleet of n sites, of which every so many-th is broken in one way or another. Every tenth goes before those behind it.
func population(t testing.TB, n, broken int) Input {
	in := Input{Now: at()}
	facts := fleet.Facts{Declared: map[string]lifecycle.Site{}, Broken: map[string]string{}, Known: map[string]fleet.Collected{}, Now: at()}
	every := n + 1
	if broken > 0 {
		every = n / broken
	}
	tiers, regions := []string{"production", "staging"}, []string{"tokyo", "osaka", "sapporo", "fukuoka"}
	for i := range n {
		tier, wave := tiers[0], 2
		if i%10 == 0 {
			tier, wave = tiers[1], 1
		}
		name := fmt.Sprintf("%s-%s-%04d", regions[i%4], tier[:4], i)
		c := well(t, name, wave, map[string]string{"tier": tier, "region": regions[i%4], "team": fmt.Sprintf("team-%d", i%7)})
		if wave == 2 {
			c.Declared.Value.Promotion = lifecycle.Promotion{From: []string{fmt.Sprintf("%s-stag-%04d", regions[i/10*10%4], i/10*10)},
				Soak: 72 * time.Hour}
		}
		if broken > 0 && i%every == every-1 {
			breakSite(t, &c, i/every)
		}
		in.Sites = append(in.Sites, c)
		in.Listed = append(in.Listed, name)
		d := c.Declared.Value
		facts.Declared[name] = lifecycle.Site{Name: name, Digest: d.Digest, Wave: d.Wave, Promotion: d.Promotion}
		facts.Known[name] = c
	}
	in.Queue = fleet.Next(facts)
	return in
}

// breakSite breaks a site in the i-th of ten ways.
func breakSite(t testing.TB, c *fleet.Collected, i int) {
	switch i % 10 {
	case 0:
		unsupportedSite(t, c)
	case 1:
		silent(c, 3)
	case 2:
		failedSite(t, c)
	case 3:
		silent(c, 0)
	case 4:
		c.Backups.Value.Proven = nil
	case 5:
		c.Asked = c.Asked.Add(-50 * time.Hour)
		silent(c, 1)
		c.Failed = ""
	case 6:
		c.Certificates.Value[0].NotBefore = at().AddDate(-1, 0, 0)
		c.Certificates.Value[0].NotAfter = at().Add(5 * 24 * time.Hour)
	case 7:
		c.Declared.Value.Addons[0].Version, c.Addons.Value[0].Well, c.Addons.Value[0].Why = "9.0.1", false,
			"argocd-server: 0 of 2 pods are ready"
	case 8:
		c.Tenants.Value[0].Resources[1] = lifecycle.ResourceUse{Name: "requests.cpu", Used: "19500m", Hard: "20", Share: 0.975}
	case 9:
		c.Drift.Value = fleet.Drift{Steps: 3, Disrupts: 1, Meaning: "dd", First: []string{"metallb/apply: chart metallb 0.15.3 -> 0.15.4"},
			Brings: []lifecycle.SoakVersion{{Name: "chart/metallb", Version: "0.15.4"}}}
	}
}
