package page

import (
	"fmt"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/promotion"
)

// storyBlock is how many sites tell all that there is to tell; a larger fleet has it again and again.
const storyBlock = 40

// The versions of the story: 1.36.4 is on its way through the fleet.
const (
	storyOld = "v1.36.3+k0s.2"
	storyNew = "v1.36.4+k0s.0"
)

// storyName is the i-th site of a story. Of each block two are labs, eight staging, 24 production and six flagships, a wave each.
func storyName(i int) string {
	tier := "prod"
	switch n := i % storyBlock; {
	case n < 2:
		tier = "lab"
	case n < 10:
		tier = "stag"
	case n >= 34:
		tier = "flag"
	}
	return fmt.Sprintf("%s-%s-%04d", []string{"tokyo", "osaka", "sapporo", "fukuoka"}[i%4], tier, i)
}

// story is a fleet of n sites in the middle of an upgrade, after a night in which some of it went wrong.
func story(t testing.TB, n int) Input {
	in := Input{Now: at(), Committed: map[string]time.Time{}, Listed: []string{}}
	facts := fleet.Facts{Declared: map[string]lifecycle.Site{}, Broken: map[string]string{}, Known: map[string]fleet.Collected{},
		Now: at()}
	for i := range n {
		c := storySite(t, i)
		in.Listed = append(in.Listed, c.Site)
		switch i % storyBlock {
		case 26: // its file was cut off
			in.Unusable = append(in.Unusable, lifecycle.Warnf("collected/"+c.Site+".json:3",
				"what was collected of a site can't be used").Because("unexpected end of JSON input"))
		case 39:
			facts.Broken[c.Site] = "overlays/" + c.Site + "/site.yaml:7: unknown field \"wawe\""
		}
		d := c.Declared.Value
		if facts.Broken[c.Site] == "" {
			facts.Declared[c.Site] = lifecycle.Site{Name: c.Site, Digest: d.Digest, Wave: d.Wave, Promotion: d.Promotion,
				Policy: lifecycle.Policy{Windows: d.Windows}}
		}
		if i%storyBlock == 26 {
			continue
		}
		in.Sites = append(in.Sites, c)
		facts.Known[c.Site] = c
	}
	in.Queue = fleet.Next(facts)
	for i, revision := range Revisions(in.Sites) {
		in.Committed[revision] = at().Add(-time.Duration(9*24+3*i) * time.Hour)
	}
	return in
}

// storySite is the i-th site of a story.
func storySite(t testing.TB, i int) fleet.Collected {
	n, first := i%storyBlock, i/storyBlock*storyBlock
	wave, tier := 3, "production"
	var after lifecycle.Promotion
	switch {
	case n < 2:
		wave, tier = 1, "lab"
	case n < 10:
		wave, tier, after = 2, "staging", lifecycle.Promotion{From: []string{storyName(first)}, Soak: 24 * time.Hour}
	case n < 34:
		after = lifecycle.Promotion{From: []string{storyName(first + 2 + n%8)}, Soak: 72 * time.Hour}
	default:
		wave = 4
		after = lifecycle.Promotion{From: []string{storyName(first + 10), storyName(first + 11)}, Soak: 168 * time.Hour}
	}
	c := well(t, storyName(i), wave, map[string]string{"tier": tier, "region": []string{"tokyo", "osaka", "sapporo", "fukuoka"}[i%4],
		"team": fmt.Sprintf("team-%d", i%7)})
	c.Declared.Value.Promotion, c.Declared.Value.Version = after, version(t, storyNew)
	c.Certificates.Value[0].NotAfter = at().AddDate(0, 7, i%storyBlock)
	c.Runs.Value[0].Revision = fmt.Sprintf("%040x", 0x3f2a+first)
	runsSince(&c, storyOld, 400*time.Hour, true)
	upgrading(t, &c)
	switch {
	case n < 2:
		upgraded(t, &c, 120*time.Hour)
	case n < 4:
		upgraded(t, &c, 31*time.Hour)
	case n < 6, n == 18, n == 19:
		upgraded(t, &c, 80*time.Hour)
	}
	storyTrouble(t, &c, n)
	return c
}

// runsSince has a site have run a version of k0s for so long.
func runsSince(c *fleet.Collected, v string, since time.Duration, runs bool) {
	s := lifecycle.SoakVersion{Name: promotion.K0s, Version: v, Longest: since, Runs: runs}
	if runs {
		s.Since = c.Asked.Add(-since)
	}
	c.Soak.Value.Versions = append(c.Soak.Value.Versions, s)
}

// upgrading has a site have the new version to take.
func upgrading(t testing.TB, c *fleet.Collected) {
	to := version(t, storyNew)
	c.Standing.Value.Declared = to.String()
	c.Drift.Value = fleet.Drift{Steps: 9, Disrupts: 3, Meaning: "up", Does: []lifecycle.Action{lifecycle.ActionUpgrade}, Target: to,
		First:  []string{c.Site + "-1/upgrade: it runs " + storyOld, c.Site + "-2/drain: before its upgrade"},
		Brings: []lifecycle.SoakVersion{{Name: promotion.K0s, Version: to.String()}}, Estimate: 24 * time.Minute}
}

// upgraded has a site have taken the new version so long ago.
func upgraded(t testing.TB, c *fleet.Collected, ago time.Duration) {
	to := version(t, storyNew)
	c.Standing.Value.Running, c.Standing.Value.Declared = []string{to.String()}, to.String()
	c.Drift.Value = fleet.Drift{Meaning: "none"}
	c.Soak.Value.Versions = c.Soak.Value.Versions[:1]
	runsSince(c, to.String(), ago, true)
	for i := range c.Machines.Value {
		c.Machines.Value[i].Version = to
	}
	r := c.Runs.Value[0]
	r.Ended = c.Asked.Add(-ago)
	r.Began, r.ID = r.Ended.Add(-22*time.Minute), r.Ended.Add(-22*time.Minute).Format("20060102-150405")+"-0a0b0c"
	r.Revision, r.Digest, r.Before, r.After = "9c0ffee5e6f708192a3b4c5d6e7f8091a2b3c4d5", "sha256:bb", r.After, []lifecycle.Version{to}
	r.Doing = "apply of revision 9c0ffee5e6"
	c.Runs.Value = append([]lifecycle.RunRecord{r}, c.Runs.Value...)
}

// storyTrouble is what is the matter with the n-th site of a block.
func storyTrouble(t testing.TB, c *fleet.Collected, n int) {
	switch n {
	case 5: // changed by hand in the night
		r := c.Runs.Value[0]
		r.ID, r.Began, r.Ended, r.Doing = "20261127-231500-5a5a5a", at().Add(-4*time.Hour), at().Add(-220*time.Minute), "backup"
		c.Runs.Value = append([]lifecycle.RunRecord{r}, c.Runs.Value...)
	case 6: // it took the version, and is not healthy
		upgraded(t, c, 12*time.Hour)
		c.Soak.Value.Healthy, c.Soak.Value.Reason = false, "node "+c.Site+"-3 is not Ready"
		c.Standing.Value.Ready = 2
		c.Standing.Value.Problems = lifecycle.Diagnostics{lifecycle.Errorf(c.Site+"-3", "the node is not Ready").
			Because("The kubelet has not answered since 2026-11-27 21:40 UTC.").Try("kiban node status " + c.Site + " " + c.Site + "-3")}
	case 7: // at work
		c.Standing.Value.Run = "20261128-024000-aa11bb"
		c.Locks.Value = []lifecycle.Lock{{Holder: "20261128-024000-aa11bb", Who: "gitlab job 4811",
			Doing: "apply of revision 9c0ffee5e6", Since: c.Asked.Add(-9 * time.Minute),
			Renewed: c.Asked.Add(-5 * time.Second), Where: "lease kube-system/kiban"}}
	case 9: // it failed in the night
		failedSite(t, c)
		upgrading(t, c)
		c.Runs.Value[0].Failures = []lifecycle.Failure{{Action: lifecycle.ActionUpgrade, Role: lifecycle.RoleWorker,
			Machine: "Flatcar 4230.1.0, 6.6.50-flatcar, amd64", Version: version(t, storyNew),
			Why: "the kubelet did not come up in 10 min", Where: c.Site + "-2"}}
		c.Machines.Value[1].OS, c.Machines.Value[1].Kernel = "Flatcar 4230.1.0", "6.6.50-flatcar"
	case 17: // like the one that failed
		c.Machines.Value[2].OS, c.Machines.Value[2].Kernel = "Flatcar 4230.1.0", "6.6.50-flatcar"
	case 20, 21:
		unsupportedSite(t, c)
	case 22:
		c.Support.Value.Runs, c.Support.Value.Ends = "1.35", time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC)
		c.Support.Value.OpenBy = time.Date(2026, 12, 12, 0, 0, 0, 0, time.UTC)
	case 23:
		silent(c, 3)
	case 24:
		silent(c, 0)
	case 25:
		older(c, 50*time.Hour)
	case 27:
		c.Backups.Value.Proven = nil
	case 28:
		c.Backups.Value.Proven.At = at().AddDate(0, 0, -45).Format(time.RFC3339)
	case 29:
		c.Backups.Value = fleet.Backups{Unasked: []string{"s3 https://s3.example.com/backups"}}
	case 30:
		c.Certificates.Value[0].NotBefore, c.Certificates.Value[0].NotAfter = at().AddDate(-1, 0, 5), at().AddDate(0, 0, 5)
		c.Certificates.Value[0].Name, c.Certificates.Value[0].Renewed = "etcd/peer", lifecycle.RenewedByHand
	case 31:
		c.Certificates.Value[0].NotBefore, c.Certificates.Value[0].NotAfter = at().AddDate(-1, 0, 20), at().AddDate(0, 0, 20)
	case 32:
		c.Declared.Value.Addons[0].Version, c.Addons.Value[0].Well, c.Addons.Value[0].Why = "9.0.1", false,
			"argocd-server: 0 of 2 pods are ready"
	case 33:
		c.Tenants.Value[0].Tenant, c.Tenants.Value[0].Namespace = "checkout", "checkout-web"
		c.Tenants.Value[0].Resources[1] = lifecycle.ResourceUse{Name: "requests.cpu", Used: "19500m", Hard: "20", Share: 0.975}
	case 34: // somebody else's machines
		c.Declared.Value.Provider, c.Declared.Value.Version = lifecycle.ProviderExternal, lifecycle.Version{}
		c.Standing.Value.Declared, c.Standing.Value.Running = "", nil
		c.Drift.Value = fleet.Drift{Meaning: "none"}
	case 35:
		c.Drift.Value.Stops = lifecycle.Diagnostics{lifecycle.Blockedf(c.Site+"-1", "etcd has no quorum to spare")}
	case 36:
		c.Drift.Value = fleet.Drift{Steps: 3, Disrupts: 1, Meaning: "dd",
			First: []string{c.Site + "-2/configure: the kubelet's arguments differ"}}
		c.Declared.Value.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Sunday}, Start: 2 * 60, End: 5 * 60,
			TimeZone: "Asia/Tokyo"}}
	case 37: // whoever held it is gone
		c.Locks.Value = []lifecycle.Lock{{Holder: "20261126-101500-dead01", Who: "bob", Doing: "node drain",
			Since: c.Asked.Add(-41 * time.Hour), Renewed: c.Asked.Add(-40 * time.Hour), Where: "lease kube-system/kiban"}}
	case 38:
		c.Standing.Value.Problems = lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "its disk is 88 % full",
			Subject: c.Site + "-1"}}
	}
}
