package plan

import "kiban.dev/kiban/lifecycle"

// Backup is the plan that takes a backup and does nothing else. It rests on no facts: whichever controller runs is asked.
func Backup(site lifecycle.Site) lifecycle.Plan {
	const id = "backup"
	return lifecycle.Plan{
		Format: lifecycle.PlanFormat, Site: site.Name, Revision: site.Revision, SiteDigest: site.Digest, Target: site.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: id, Title: "backup of the control plane", Width: 1}},
		Steps: []lifecycle.Step{{ID: "cluster/backup", Stage: id, Action: lifecycle.ActionBackup, Reason: "asked for",
			Timeout: lifecycle.ActionBackup.Timeout(site.Policy)}},
	}
}
