package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestA7_UpgradeNeedsABackupThatStays: in a job, controllers of production are not upgraded without a place where the backup outlives it,
// nor without recipients anywhere; other sites are warned, in a job.
func TestA7_UpgradeNeedsABackupThatStays(t *testing.T) {
	place := lifecycle.BackupTo{Folder: "/mnt/backups"}
	for name, c := range map[string]struct {
		tier, recipient string
		to, job         bool
		same            bool // nothing is upgraded
		want            map[string]lifecycle.Severity
	}{
		"production in a job": {tier: "production", recipient: "age1", job: true,
			want: map[string]lifecycle.Severity{"gone with this job": lifecycle.SeverityBlocked}},
		"production in a job, with a place":       {tier: "production", recipient: "age1", job: true, to: true},
		"production at a terminal":                {tier: "production", recipient: "age1"},
		"production in a job, without an upgrade": {tier: "production", job: true, same: true},
		"production without recipients, with a place": {tier: "production", to: true,
			want: map[string]lifecycle.Severity{"not be encrypted": lifecycle.SeverityBlocked}},
		"staging in a job": {tier: "staging", job: true, want: map[string]lifecycle.Severity{
			"gone with this job": lifecycle.SeverityWarning, "not be encrypted": lifecycle.SeverityWarning}},
		"staging in a job, with a place, not encrypted": {tier: "staging", job: true, to: true,
			want: map[string]lifecycle.Severity{"not be encrypted": lifecycle.SeverityWarning}},
		"staging in a job, with a place, encrypted": {tier: "staging", recipient: "age1", job: true, to: true},
		"staging in a job, without an upgrade":      {tier: "staging", job: true, same: true},
		"a site of no tier, in a job": {recipient: "age1", job: true,
			want: map[string]lifecycle.Severity{"gone with this job": lifecycle.SeverityWarning}},
		"a site of no tier, at a terminal": {},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, 1, 1))
			site := newSite(v136, 1, 1)
			if c.same {
				site = newSite(v135, 1, 1)
			}
			site.Labels = map[string]string{"tier": c.tier}
			if c.recipient != "" {
				site.Backup.Recipients = []string{c.recipient}
			}
			if c.to {
				site.Backup.To = []lifecycle.BackupTo{place}
			}
			w.declare(site)
			p := Make(site, w.observe(), lifecycle.PlanOptions{InJob: c.job})
			got := map[string]lifecycle.Severity{}
			for _, d := range p.Diagnostics {
				for _, words := range []string{"gone with this job", "not be encrypted"} {
					if strings.Contains(d.Summary, words) {
						got[words] = d.Severity
					}
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("findings are %v, want %v", got, c.want)
			}
			for words, sev := range c.want {
				if got[words] != sev {
					t.Errorf("%q is %s, want %s", words, got[words], sev)
				}
			}
		})
	}
}

// TestBackupHasTimeForItsPlaces: each place gets the backup and gives it back.
func TestBackupHasTimeForItsPlaces(t *testing.T) {
	site := newSite(v135, 1, 1)
	alone := Backup(site).Steps[0].Timeout
	site.Backup.To = make([]lifecycle.BackupTo, 2)
	if got := Backup(site).Steps[0].Timeout; got != 3*alone {
		t.Errorf("it has %s, and %s without places", got, alone)
	}
}

// TestControllersWaitForAProvenBackup: where the site asks for a proof, no plan changes controllers without a young one, and the first step
// of an upgrade has the gate.
func TestControllersWaitForAProvenBackup(t *testing.T) {
	for name, c := range map[string]struct {
		asked  time.Duration
		ago    time.Duration // of the proof; 0: there is none
		beside bool          // only beside a backup
		same   bool
		found  bool
	}{
		"none":                  {asked: 24 * time.Hour, found: true},
		"too old":               {asked: 24 * time.Hour, ago: 25 * time.Hour, found: true},
		"young":                 {asked: 24 * time.Hour, ago: time.Hour},
		"young, beside it":      {asked: 24 * time.Hour, ago: time.Hour, beside: true},
		"not asked for":         {},
		"controllers stay":      {asked: 24 * time.Hour, same: true},
		"old, and not asked to": {ago: 1000 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, 1, 1))
			site := newSite(v136, 1, 1)
			if c.same {
				site = newSite(v135, 1, 1)
			}
			site.Backup.Proven = c.asked
			w.declare(site)
			seen := w.observe()
			if c.ago > 0 {
				p := &lifecycle.Proof{Backup: "b", At: seen.ObservedAt.Add(-c.ago).UTC().Format(time.RFC3339)}
				if seen.API.Proven = p; c.beside {
					seen.API.Proven, seen.Past.Backups = nil, []lifecycle.KeptBackup{{Proven: p}}
				}
			}
			p := Make(site, seen, lifecycle.PlanOptions{})
			i := slices.IndexFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, "proven within") })
			if (i >= 0) != c.found {
				t.Fatalf("found: %v", p.Diagnostics)
			}
			if i >= 0 && (p.Diagnostics[i].Severity != lifecycle.SeverityBlocked ||
				!strings.Contains(p.Diagnostics[i].Hint, "kiban drill "+site.Name)) {
				t.Errorf("it does not block, or say what to do: %+v", p.Diagnostics[i])
			}
			for _, s := range p.Steps {
				gated := slices.ContainsFunc(s.Before, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateProven })
				if gated != (s.Action == lifecycle.ActionBackup && c.asked > 0) {
					t.Errorf("%s: gated is %v", s.ID, gated)
				}
			}
		})
	}
}
