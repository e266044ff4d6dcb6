package rendertest

import (
	"fmt"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Version reads a version of k0s.
func Version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Site is a site of so many machines.
func Site(t *testing.T, controllers, workers int) lifecycle.Site {
	s := lifecycle.Site{Name: "tokyo-prod", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d"}
	s.Cluster.Version = Version(t, "v1.36.3+k0s.2")
	for i := range controllers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, lifecycle.Host{Name: fmt.Sprintf("controller-%d", i+1), Role: lifecycle.RoleController,
			Address: fmt.Sprintf("10.1.0.%d", 11+i)})
	}
	for i := range workers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, lifecycle.Host{Name: fmt.Sprintf("worker-%d", i+1), Role: lifecycle.RoleWorker,
			Address: fmt.Sprintf("10.1.0.%d", 101+i)})
	}
	return s
}

// UpgradePlan is a plan such as package plan makes for an upgrade of all hosts of a site.
func UpgradePlan(t *testing.T, site lifecycle.Site, width int) lifecycle.Plan {
	from, to := Version(t, "v1.35.7+k0s.0"), Version(t, "v1.36.3+k0s.2")
	p := lifecycle.Plan{
		Format: lifecycle.PlanFormat, Site: site.Name, Revision: site.Revision, SiteDigest: "sha256:aa", FactsDigest: "sha256:bb",
		Target: to, Hops: []lifecycle.Version{to},
		Stages: []lifecycle.Stage{
			{ID: "binaries", Title: "k0s " + to.String() + " onto the machines"},
			{ID: "backup", Title: "backup of the control plane", Width: 1},
			{ID: "controllers", Title: "controllers to " + to.String(), Width: 1},
			{ID: "workers", Title: "workers to " + to.String(), Width: width, Canary: 1, Budgeted: true},
		},
	}
	add := func(stage string, a lifecycle.Action, target, reason string, change func(*lifecycle.Step)) {
		id := target
		if id == "" {
			id = "cluster"
		}
		s := lifecycle.Step{ID: id + "/" + string(a), Stage: stage, Action: a, Target: target, Reason: reason}
		if change != nil {
			change(&s)
		}
		p.Steps = append(p.Steps, s)
	}
	for _, h := range site.Cluster.Hosts {
		add("binaries", lifecycle.ActionUpload, h.Name, "k0s "+to.String()+" is not on "+h.Name+" yet",
			func(s *lifecycle.Step) { s.Version, s.From = to, from })
	}
	add("backup", lifecycle.ActionBackup, "", "a backup is taken before controllers change", nil)
	for _, h := range site.Cluster.Controllers() {
		add("controllers", lifecycle.ActionUpgrade, h.Name, "runs "+from.String()+", "+to.String()+" is declared", func(s *lifecycle.Step) {
			s.Version, s.From, s.Disrupts = to, from, true
			s.Before = []lifecycle.Gate{{Kind: lifecycle.GateEtcdQuorum, Target: h.Name, Timeout: 5 * time.Minute},
				{Kind: lifecycle.GateAPIServers, Target: h.Name, Timeout: 5 * time.Minute}}
			s.After = []lifecycle.Gate{
				{Kind: lifecycle.GateK0sRuns, Target: h.Name, Version: to, For: 5 * time.Second, Timeout: 5 * time.Minute},
				{Kind: lifecycle.GateAPIReady, Target: h.Name, Timeout: 5 * time.Minute},
				{Kind: lifecycle.GateLeaders, Timeout: 90 * time.Second},
			}
		})
	}
	for _, h := range site.Cluster.Workers() {
		reason := "runs " + from.String() + ", " + to.String() + " is declared"
		add("workers", lifecycle.ActionCordon, h.Name, reason, func(s *lifecycle.Step) {
			s.Before = []lifecycle.Gate{{Kind: lifecycle.GateBudgetRoom, Target: h.Name, Timeout: 10 * time.Minute}}
		})
		add("workers", lifecycle.ActionDrain, h.Name, "its pods move away before k0s stops", func(s *lifecycle.Step) { s.Disrupts = true })
		add("workers", lifecycle.ActionUpgrade, h.Name, reason, func(s *lifecycle.Step) {
			s.Version, s.From, s.Disrupts = to, from, true
			s.After = []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: h.Name, Version: to, Timeout: 5 * time.Minute}}
		})
		add("workers", lifecycle.ActionUncordon, h.Name, "kiban cordoned it; it is well again", func(s *lifecycle.Step) {
			s.After = []lifecycle.Gate{{Kind: lifecycle.GateBudgets, Timeout: 10 * time.Minute}}
		})
	}
	return p
}

// BlockedFinding is a budget that lets no pod go.
func BlockedFinding() lifecycle.Diagnostic {
	return lifecycle.Diagnostic{
		Severity: lifecycle.SeverityBlocked, Subject: "shop/web", Summary: "a disruption budget can never allow an eviction",
		Detail: "minAvailable 3 of 3 pods: web-1 on worker-1, web-2 on worker-2\nThey belong to Deployment shop/web.",
		Hint:   "Ask the owner to run one pod more, or to lower minAvailable.",
	}
}
