package rendertest

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// At is a moment of a run.
func At(seconds int) time.Time {
	return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// On is an event of a step at a moment of a run.
func On(seconds int, kind lifecycle.EventKind, stage, target string, a lifecycle.Action, message string) lifecycle.Event {
	e := lifecycle.Event{Time: At(seconds), Run: "r", Site: "tokyo-prod", Kind: kind, Stage: stage, Target: target, Action: a,
		Message: message}
	if a != "" {
		e.Step = target + "/" + string(a)
	}
	return e
}

// Story is a short run: one controller, then two workers side by side, of which one fails.
func Story() []lifecycle.Event {
	finished := On(20, lifecycle.EventFinished, "controllers", "controller-1", lifecycle.ActionUpgrade, "")
	finished.Elapsed = 20 * time.Second
	drained := On(41, lifecycle.EventFinished, "workers", "worker-1", lifecycle.ActionDrain, "")
	drained.Elapsed = 11 * time.Second
	failed := On(50, lifecycle.EventFailed, "workers", "worker-2", lifecycle.ActionDrain, "the drain was not done in 10m")
	failed.Elapsed = 19 * time.Second
	waiting := On(45, lifecycle.EventWaiting, "workers", "worker-1", lifecycle.ActionUpgrade, "node worker-1 Ready at v1.36.3+k0s")
	waiting.Detail, waiting.Within = "the heartbeat is\nolder than the service", 5*time.Minute
	draining := On(31, lifecycle.EventStarted, "workers", "worker-2", lifecycle.ActionDrain, "its pods move away")
	draining.Within = 10 * time.Minute
	summary := On(61, lifecycle.EventSummary, "", "", "", "3 of 6 steps done")
	summary.Elapsed = 61 * time.Second
	return []lifecycle.Event{
		On(0, lifecycle.EventPlanned, "controllers", "controller-1", lifecycle.ActionUpgrade, "why"),
		On(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionDrain, "why"),
		On(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionUpgrade, "why"),
		On(0, lifecycle.EventPlanned, "workers", "worker-2", lifecycle.ActionDrain, "why"),
		On(0, lifecycle.EventPlanned, "workers", "worker-3", lifecycle.ActionDrain, "why"),
		On(0, lifecycle.EventStarted, "controllers", "controller-1", lifecycle.ActionUpgrade, "runs v1.35.7+k0s.0"),
		finished,
		On(30, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionDrain, "its pods move away"),
		draining,
		On(33, lifecycle.EventProgress, "workers", "worker-2", lifecycle.ActionDrain, "evicting pod shop/web-2"),
		drained,
		On(41, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionUpgrade, "runs v1.35.7+k0s.0"),
		waiting,
		failed,
		On(60, lifecycle.EventSkipped, "workers", "worker-3", lifecycle.ActionDrain, "not begun"),
		summary,
	}
}

// StoryPlan is the plan of Story, as far as a view of a run asks for it.
func StoryPlan() lifecycle.Plan {
	return lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "controllers", Title: "controllers to v1.36.3+k0s.2"},
		{ID: "workers", Title: "workers to v1.36.3+k0s.2"}}, Estimate: &lifecycle.Estimate{Duration: 11*time.Minute + 5*time.Second, Runs: 3}}
}

// UnitStory is a run that installs Argo CD, fails to upgrade Datadog and takes it back, and does not come to a tenant any more.
func UnitStory() []lifecycle.Event {
	header := &lifecycle.RunHeader{Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d",
		Stages: []lifecycle.Stage{{ID: "addons", Title: "addons", Width: 1}, {ID: "tenants", Title: "tenants", Width: 1}}}
	begun := On(0, lifecycle.EventBegun, "", "", "", "run r by ann on laptop")
	begun.Header = header
	ended := func(e lifecycle.Event, took int) lifecycle.Event {
		e.Elapsed = time.Duration(took) * time.Second
		return e
	}
	failed := ended(On(140, lifecycle.EventFailed, "addons", "addon/datadog", lifecycle.ActionApply,
		"it was not healthy within 10m; the former release 3.201.1 is back, and healthy"), 85)
	failed.Diagnostic = &lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: "addon datadog",
		Summary: "it was not healthy within 10m; the former release 3.201.1 is back, and healthy",
		Detail:  "Pod datadog/datadog-agent-x7k2p: ImagePullBackOff: gcr.io/datadoghq/agent:7.99.0 not found"}
	apply := lifecycle.ActionApply
	return []lifecycle.Event{
		begun,
		On(0, lifecycle.EventPlanned, "addons", "addon/argocd", apply, "it is not installed"),
		On(0, lifecycle.EventPlanned, "addons", "addon/datadog", apply, "its chart differs from the one that is installed"),
		On(0, lifecycle.EventPlanned, "tenants", "tenant/product-a", apply, "it is new"),
		On(1, lifecycle.EventStarted, "addons", "addon/argocd", apply, "it is not installed"),
		On(3, lifecycle.EventProgress, "addons", "addon/argocd", apply, "3 definitions, 1 namespace applied"),
		On(9, lifecycle.EventProgress, "addons", "addon/argocd", apply, "Deployment argocd/argocd-server: 0 of 2 pods are ready; and 5 more"),
		On(40, lifecycle.EventProgress, "addons", "addon/argocd", apply, "Deployment argocd/argocd-repo-server: 1 of 2 pods are ready"),
		ended(On(55, lifecycle.EventFinished, "addons", "addon/argocd", apply, ""), 54),
		On(55, lifecycle.EventStarted, "addons", "addon/datadog", apply, "its chart differs from the one that is installed"),
		On(60, lifecycle.EventProgress, "addons", "addon/datadog", apply, "DaemonSet datadog/datadog-agent: 0 of 4 pods are ready"),
		On(120, lifecycle.EventProgress, "addons", "addon/datadog", apply, "not healthy within 10m; back to release 3.201.1"),
		failed,
		On(140, lifecycle.EventSkipped, "tenants", "tenant/product-a", apply, "not begun"),
		ended(On(140, lifecycle.EventSummary, "", "", "", "1 of 3 steps done"), 140),
	}
}
