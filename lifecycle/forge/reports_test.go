package forge

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestCounts(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	step := func(target string, a lifecycle.Action, objects ...lifecycle.ObjectChange) lifecycle.Step {
		return lifecycle.Step{ID: target + "/" + string(a), Target: target, Action: a, Objects: objects}
	}
	object := func(k lifecycle.ChangeKind, drift bool) lifecycle.ObjectChange {
		return lifecycle.ObjectChange{Change: k, Drift: drift, Fields: []lifecycle.FieldChange{{Field: "spec.replicas", From: "1", To: "2"}}}
	}
	for _, tt := range []struct {
		name string
		plan lifecycle.Plan
		want Counts
	}{
		{"nothing", lifecycle.Plan{}, Counts{}},
		{"upgrade: each machine once, the backup not at all", rendertest.UpgradePlan(t, site, 1), Counts{Update: 7}},
		{"join", lifecycle.Plan{Steps: []lifecycle.Step{step("w1", lifecycle.ActionPrepare), step("w1", lifecycle.ActionUpload),
			step("w1", lifecycle.ActionJoinWorker)}}, Counts{Create: 1}},
		{"remove", lifecycle.Plan{Steps: []lifecycle.Step{step("w1", lifecycle.ActionCordon), step("w1", lifecycle.ActionDrain),
			step("w1", lifecycle.ActionReset), step("w1", lifecycle.ActionDeleteNode)}}, Counts{Delete: 1}},
		{"anew", lifecycle.Plan{Steps: []lifecycle.Step{step("w1", lifecycle.ActionReset), step("w1", lifecycle.ActionJoinWorker)}},
			Counts{Create: 1, Delete: 1}},
		{"only a backup", lifecycle.Plan{Steps: []lifecycle.Step{step("", lifecycle.ActionBackup)}}, Counts{}},
		{"objects", lifecycle.Plan{Steps: []lifecycle.Step{step("addon/metallb", lifecycle.ActionApply,
			object(lifecycle.ChangeCreate, false), object(lifecycle.ChangeUpdate, false), object(lifecycle.ChangeUpdate, true),
			object(lifecycle.ChangeReplace, false), object(lifecycle.ChangeDelete, false), object(lifecycle.ChangeKeep, false))}},
			Counts{Create: 2, Update: 2, Delete: 2}},
		{"a unit with a failed release", lifecycle.Plan{Steps: []lifecycle.Step{step("addon/metallb", lifecycle.ActionApply)}},
			Counts{Update: 1}},
	} {
		if got := CountsOf(tt.plan); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	var b bytes.Buffer
	if err := TerraformReport(&b, lifecycle.Plan{}); err != nil || b.String() != `{"create":0,"update":0,"delete":0}`+"\n" {
		t.Errorf("got %q, %v; GitLab wants all three keys, also when they are 0", b.String(), err)
	}
}

// findings are of a fleet in which one base's fault shows in two sites.
func findings() []SiteFindings {
	base := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: "clusters/base/site.yaml:12",
		Summary: `field "maxUnavaliable" is not known`, Detail: "The fields are canary, maxUnavailable.", Hint: "Write maxUnavailable."}
	again := base
	again.Subject = "clusters/base/site.yaml:30"
	return []SiteFindings{
		{Site: "osaka-prod", Diagnostics: lifecycle.Diagnostics{base, again}},
		{Site: "tokyo-prod", Diagnostics: lifecycle.Diagnostics{base, again,
			{Severity: lifecycle.SeverityWarning, Subject: "overlays/tokyo-prod/cluster.yaml:4",
				Summary: "an even number of controllers gains <nothing>"}}},
		{Site: "lab", Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: "worker-1",
			Summary: "worker-1 has no rack", Detail: "a\x1b[31m b"}}},
		{Site: "berlin"},
		{Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "overlays/lab", Summary: "two sites claim 10.0.0.11"},
			{Severity: lifecycle.SeverityError, Subject: "/srv/fleet/x.yaml:1", Summary: "outside"}}},
	}
}

func TestCodeQuality(t *testing.T) {
	var b bytes.Buffer
	if err := CodeQuality(&b, findings()); err != nil {
		t.Fatal(err)
	}
	golden(t, "codequality.json", b.String())
	var issues []qualityIssue
	if err := json.Unmarshal(b.Bytes(), &issues); err != nil {
		t.Fatal(err)
	}
	prints := map[string]bool{}
	for _, i := range issues {
		if prints[i.Fingerprint] {
			t.Errorf("fingerprint %s is there twice: GitLab would show only one of the two", i.Fingerprint)
		}
		prints[i.Fingerprint] = true
		if i.Description == "" || i.CheckName == "" || i.Location.Path == "" || strings.HasPrefix(i.Location.Path, "/") ||
			strings.HasPrefix(i.Location.Path, "./") || i.Location.Lines.Begin < 1 {
			t.Errorf("GitLab's schema refuses %+v, and reads no further", i)
		}
	}
	if len(issues) != 5 {
		t.Errorf("got %d issues, want the base's two once, the two warnings, and the fleet's one that has a file", len(issues))
	}
}

func TestFingerprintsStayWhenLinesMove(t *testing.T) {
	fingerprint := func(line string) string {
		var b bytes.Buffer
		if err := CodeQuality(&b, []SiteFindings{{Site: "lab",
			Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "overlays/lab/site.yaml:" + line,
				Summary: "bad"}}}}); err != nil {
			t.Fatal(err)
		}
		var issues []qualityIssue
		if err := json.Unmarshal(b.Bytes(), &issues); err != nil {
			t.Fatal(err)
		}
		return issues[0].Fingerprint
	}
	if fingerprint("3") != fingerprint("4") {
		t.Error("a comment above a finding makes it a new one")
	}
}

func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		subject, file string
		line          int
	}{
		{"overlays/lab/site.yaml:12", "overlays/lab/site.yaml", 12},
		{"overlays/lab/kiban.lock", "overlays/lab/kiban.lock", 1},
		{"overlays/lab/known_hosts:3", "overlays/lab/known_hosts", 3},
		{"overlays/lab", "overlays/lab/kustomization.yaml", 1},
		{"worker-1.example.com", "", 0},
		{"10.0.0.1:22", "", 0},
		{"shop/web", "", 0},
		{"Secret kube-system/a.yaml", "", 0},
		{"/srv/fleet/site.yaml:1", "", 0},
		{"../site.yaml:1", "", 0},
		{"./site.yaml:1", "", 0},
		{"https://example.com/a.yaml", "", 0},
		{"", "", 0},
	} {
		if file, line, ok := place(lifecycle.Diagnostic{Subject: tt.subject}); file != tt.file || line != tt.line || ok != (tt.file != "") {
			t.Errorf("%q: got %q line %d, %v; want %q line %d", tt.subject, file, line, ok, tt.file, tt.line)
		}
	}
}

func TestNoFindings(t *testing.T) {
	var b bytes.Buffer
	if err := CodeQuality(&b, []SiteFindings{{Site: "lab"}}); err != nil || b.String() != "[]\n" {
		t.Errorf("got %q, %v; the report of a fleet without findings is an empty array, not null", b.String(), err)
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, findings()); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.xml", b.String())
	var report junitReport
	if err := xml.Unmarshal(b.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Tests != 9 || report.Failures != 6 {
		t.Errorf("got %d tests, %d failures; want 9 and 6", report.Tests, report.Failures)
	}
}
