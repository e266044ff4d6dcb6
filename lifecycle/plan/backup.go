package plan

import (
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Backup is the plan that takes a backup and does nothing else. It rests on no facts: whichever controller runs is asked.
func Backup(site lifecycle.Site) lifecycle.Plan {
	const id = "backup"
	return lifecycle.Plan{
		Format: lifecycle.PlanFormat, Site: site.Name, Revision: site.Revision, SiteDigest: site.Digest, Target: site.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: id, Title: "backup of the control plane", Width: 1}},
		Steps: []lifecycle.Step{{ID: "cluster/backup", Stage: id, Action: lifecycle.ActionBackup, Reason: "asked for",
			Timeout: backupWithin(site)}},
	}
}

// backupWithin is as long again for each place that gets the backup, and gives it back.
func backupWithin(site lifecycle.Site) time.Duration {
	return time.Duration(1+len(site.Backup.To)) * lifecycle.ActionBackup.Timeout(site.Policy)
}

// backupBefore opens a stage with the backup that is taken before controllers change to a version, or are committed to it.
func (p *planner) backupBefore(v lifecycle.Version, reason string, before []lifecycle.Gate) *step {
	s := p.stage("backup@"+v.String(), "backup before "+v.String(), 1)
	st := &step{hop: v, Step: lifecycle.Step{Action: lifecycle.ActionBackup, Timeout: backupWithin(p.site), Reason: reason, Before: before}}
	if p.phase == phaseCommit {
		s.Title, st.after = "backup before the commit to "+p.pin.To.String(), p.lastSteps()
	}
	s.add(st)
	return st
}

// backupIsFor says before what a plan's backup is taken, and what it is for.
func (p *planner) backupIsFor() (what, isFor string) {
	switch {
	case p.rolls():
		return "the upgrade", fmt.Sprintf("While the control plane soaks, it goes back without it (kiban back %s). When it is committed, "+
			"it is the only way back from a minor version", p.site.Name)
	case p.phase == phaseCommit:
		return "the commit", "It is the only one that has what was stored in the soak"
	}
	return "the upgrade", "It is the only way back from a minor version"
}

// inspectBackup finds that the backup which the plan takes before controllers change would be no way back: gone with the job that took it,
// or open to whoever finds it.
func (p *planner) inspectBackup() {
	if !p.takesBackup() {
		return
	}
	what, isFor := p.backupIsFor()
	if p.options.InJob && len(p.site.Backup.To) == 0 {
		sev := lifecycle.SeverityWarning
		if p.site.Production() {
			sev = lifecycle.SeverityBlocked
		}
		p.find(lifecycle.Findingf(sev, p.site.Name, "the backup before %s would be gone with this job", what).
			Because(isFor + ", and the Site names no place for backups that outlives the job.").
			Try("Name one in spec.backup.to of the Site: s3, sftp, oci, or a folder that is mounted. `kiban explain docs/backup.md` says how."))
	}
	if len(p.site.Backup.Recipients) == 0 && (p.site.Production() || p.options.InJob) {
		sev, whose := lifecycle.SeverityWarning, "whoever may read what a job leaves, or the place that gets it, has the cluster."
		if p.site.Production() {
			sev, whose = lifecycle.SeverityBlocked, "and the site is labelled tier: production."
		}
		p.find(lifecycle.Findingf(sev, p.site.Name, "the backup before %s would not be encrypted", what).
			Because("It holds the keys of the cluster's CA and every Secret; " + whose).
			Try("Name age public keys in spec.backup.recipients of the Site; `age-keygen -o key.txt` makes a pair."))
	}
}

// inspectProven finds that no backup is proven where the site wants one to be before controllers change.
func (p *planner) inspectProven() {
	if why := p.site.Backup.Unproven(p.state.Proven(), p.state.ObservedAt); why != "" && p.takesBackup() {
		p.find(lifecycle.Blockedf(p.site.Name, "no backup of the site is proven within %s", lifecycle.Span(p.site.Backup.Proven)).
			Because(why + " spec.backup.proven asks for that before controllers change.").
			Try("Restore the newest in a lab, which touches nothing of the site: kiban drill " + p.site.Name))
	}
}

// proven is the gate before controllers change, where the site wants a backup to be proven by then. It is not waited for.
func (p *planner) proven() []lifecycle.Gate {
	if p.site.Backup.Proven == 0 {
		return nil
	}
	return []lifecycle.Gate{p.gate(lifecycle.GateProven, "")}
}

func (p *planner) takesBackup() bool {
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool { return st.Action == lifecycle.ActionBackup })
	})
}
