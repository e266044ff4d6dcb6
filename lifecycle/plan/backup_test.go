package plan

import (
	"strings"
	"testing"

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
