package render

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// unitStory is a run that installs Argo CD, fails to upgrade Datadog and takes it back, and does not come to a tenant any more.
func unitStory() []lifecycle.Event {
	header := &lifecycle.RunHeader{Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d",
		Stages: []lifecycle.Stage{{ID: "addons", Title: "addons", Width: 1}, {ID: "tenants", Title: "tenants", Width: 1}}}
	begun := on(0, lifecycle.EventBegun, "", "", "", "run r by ann on laptop")
	begun.Header = header
	ended := func(e lifecycle.Event, took int) lifecycle.Event {
		e.Elapsed = time.Duration(took) * time.Second
		return e
	}
	failed := ended(on(140, lifecycle.EventFailed, "addons", "addon/datadog", lifecycle.ActionApply, "it was not healthy within 10m; the former release 3.201.1 is back, and healthy"), 85)
	failed.Diagnostic = &lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: "addon datadog", Summary: "it was not healthy within 10m; the former release 3.201.1 is back, and healthy",
		Detail: "Pod datadog/datadog-agent-x7k2p: ImagePullBackOff: gcr.io/datadoghq/agent:7.99.0 not found"}
	apply := lifecycle.ActionApply
	return []lifecycle.Event{
		begun,
		on(0, lifecycle.EventPlanned, "addons", "addon/argocd", apply, "it is not installed"),
		on(0, lifecycle.EventPlanned, "addons", "addon/datadog", apply, "its chart differs from the one that is installed"),
		on(0, lifecycle.EventPlanned, "tenants", "tenant/product-a", apply, "it is new"),
		on(1, lifecycle.EventStarted, "addons", "addon/argocd", apply, "it is not installed"),
		on(3, lifecycle.EventProgress, "addons", "addon/argocd", apply, "3 definitions, 1 namespace applied"),
		on(9, lifecycle.EventProgress, "addons", "addon/argocd", apply, "Deployment argocd/argocd-server: 0 of 2 pods are ready; and 5 more"),
		on(40, lifecycle.EventProgress, "addons", "addon/argocd", apply, "Deployment argocd/argocd-repo-server: 1 of 2 pods are ready"),
		ended(on(55, lifecycle.EventFinished, "addons", "addon/argocd", apply, ""), 54),
		on(55, lifecycle.EventStarted, "addons", "addon/datadog", apply, "its chart differs from the one that is installed"),
		on(60, lifecycle.EventProgress, "addons", "addon/datadog", apply, "DaemonSet datadog/datadog-agent: 0 of 4 pods are ready"),
		on(120, lifecycle.EventProgress, "addons", "addon/datadog", apply, "not healthy within 10m; back to release 3.201.1"),
		failed,
		on(140, lifecycle.EventSkipped, "tenants", "tenant/product-a", apply, "not begun"),
		ended(on(140, lifecycle.EventSummary, "", "", "", "1 of 3 steps done"), 140),
	}
}

func TestRunOfUnits(t *testing.T) {
	events := unitStory()
	record := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220000-a1b2c3", Site: "tokyo-prod", Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d",
		Began: at(0), Ended: at(140), Result: lifecycle.RunFailed, Steps: 3, Begun: 2, Done: 1, Failed: 1}
	var text, markdown, page bytes.Buffer
	for _, err := range []error{RunText(&text, events, Style{}), RunMarkdown(&markdown, record, events), RunHTML(&page, record, events)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "units_run.txt", text.String())
	golden(t, "units_run.md", markdown.String())
	for want, there := range map[string]bool{
		"addons argocd and datadog and tenant product-a to apply": true, ">addon/argocd</text>": true, "✗ failed": true, "<th>On</th>": true,
		"out of service": false, "machine": false,
	} {
		if strings.Contains(page.String(), want) != there {
			t.Errorf("%q: want %v in the page", want, there)
		}
	}
	if dir := os.Getenv("KIBAN_PAGES"); dir != "" { // to look at them
		if err := os.WriteFile(dir+"/units_run.html", page.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
	m := newLiveModel(map[string]string{"addons": "addons", "tenants": "tenants"}, Style{})
	var live strings.Builder
	for _, e := range events {
		m.apply(e)
		if e.Kind == lifecycle.EventPlanned {
			continue
		}
		fmt.Fprintf(&live, "-- %s %s %s\n", clock(e.Time.Sub(at(0))), e.Kind, e.Step)
		for _, l := range m.take() {
			live.WriteString("| " + l + "\n")
		}
		for _, l := range m.lines(e.Time.Add(time.Second), 110, 24) {
			live.WriteString("> " + l + "\n")
		}
	}
	golden(t, "units_live.txt", live.String())
}
