package render

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestFieldText(t *testing.T) {
	long := strings.Repeat("log_level: info ", 8)
	for _, tt := range []struct{ from, to, want string }{
		{"2", "3", "f: 2 -> 3"},
		{`"2"`, `"3"`, `f: "2" -> "3"`}, // text, not numbers
		{`"a"`, `"b"`, "f: a -> b"},
		{`""`, `"b"`, `f: "" -> b`},
		{"", "true", "+ f: true"},
		{`{"a":1}`, "", `- f: {"a":1}`},
		{`"quay.io/metallb/speaker:v0.16.1"`, `"quay.io/metallb/speaker:v0.16.2"`, "f: quay.io/metallb/speaker:v0.16.1 -> v0.16.2"},
		{`"quay.io/metallb/speaker:v0.16.1"`, `"quay.io/other/speaker:v0.16.1"`,
			"f: quay.io/metallb/speaker:v0.16.1 -> quay.io/other/speaker:v0.16.1"},
		{`"registry:5000/a/b:1"`, `"registry:5001/a/b:1"`, "f: registry:5000/a/b:1 -> registry:5001/a/b:1"},
		{`"https://a.example:80"`, `"https://a.example:81"`, "f: https://a.example:80 -> https://a.example:81"},
		{fmt.Sprintf("%q", long+"mode: a"), fmt.Sprintf("%q", long+"mode: b"), "f: …vel: info mode: a -> …vel: info mode: b"},
		{`"a\nb"`, `"a\nc"`, `f: "a\nb" -> "a\nc"`},
		{`"\u001b[31mred"`, `"b"`, `f: "\u001b[31mred" -> b`}, // a value does not colour the terminal
		{`"short…`, `"other"`, "f: short… -> other"},
		{`"the same…`, `"the same…`, "f: the same… (they differ further on)"},
		{"(masked)", "(masked)", "f: (masked)"},
		{`"日本"`, `"日曜"`, "f: 日本 -> 日曜"},
	} {
		if got := fieldText(lifecycle.FieldChange{Field: "f", From: tt.from, To: tt.to}); got != tt.want {
			t.Errorf("%s to %s:\ngot  %s\nwant %s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestLabelOf(t *testing.T) {
	for path, want := range map[string]string{
		`metadata.labels["helm.sh/chart"]`:                           "helm.sh/chart",
		`metadata.labels.chart`:                                      "chart",
		`metadata.annotations["meta.helm.sh/release-name"]`:          "meta.helm.sh/release-name",
		`spec.template.metadata.labels["app.kubernetes.io/version"]`: "app.kubernetes.io/version of pods",
		`metadata.labels["app.kubernetes.io/name"]`:                  "",
		`metadata.annotations["kubectl.kubernetes.io/restartedAt"]`:  "",
		`metadata.labels`:                                                  "",
		`data["helm.sh/chart"]`:                                            "",
		`spec.selector.matchLabels["helm.sh/chart"]`:                       "",
		`spec.volumeClaimTemplates[0].metadata.labels["helm.sh/chart"]`:    "helm.sh/chart of pods",
		`spec.template.metadata.annotations["checksum/config"]`:            "",
		`metadata.labels["app.kubernetes.io/managed-by"]`:                  "app.kubernetes.io/managed-by",
		`metadata.annotations["service.beta.kubernetes.io/helm.sh/chart"]`: "",
	} {
		got, template := labelOf(path)
		if template {
			got += " of pods"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestALabelThatReplacesPodsIsShown(t *testing.T) {
	s := lifecycle.Step{Action: lifecycle.ActionApply,
		Objects: []lifecycle.ObjectChange{rendertest.Changed("Deployment", "shop", "web",
			rendertest.Field(`spec.template.metadata.labels["helm.sh/chart"]`, "web-1", "web-2"))}}
	got := fmt.Sprint(objectLines(s))
	if !strings.Contains(got, "its pods are replaced") ||
		!strings.Contains(got, `spec.template.metadata.labels["helm.sh/chart"]: web-1 -> web-2`) {
		t.Errorf("got %s", got)
	}
}

// TestWhatIsFolded holds that much of one kind is folded, and says so, and that what is put back, deleted or made anew never is.
func TestWhatIsFolded(t *testing.T) {
	many := lifecycle.Step{Action: lifecycle.ActionApply}
	for i := range 40 {
		name := fmt.Sprintf("object-%02d", i)
		many.Objects = append(many.Objects, rendertest.Changed("ConfigMap", "shop", name, rendertest.Field("data.k", "a", name)))
		drift := rendertest.Changed("Secret", "shop", name, rendertest.Field("data.k", "a", name))
		drift.Drift = true
		many.Objects = append(many.Objects, drift,
			lifecycle.ObjectChange{ObjectRef: rendertest.Object("Role", "shop", name), Change: lifecycle.ChangeDelete},
			lifecycle.ObjectChange{ObjectRef: rendertest.Object("Service", "shop", name), Change: lifecycle.ChangeReplace},
			lifecycle.ObjectChange{ObjectRef: rendertest.Object("Deployment", "shop", name), Change: lifecycle.ChangeCreate})
	}
	text := ""
	for _, l := range objectLines(many) {
		text += l.sign + " " + l.text + "\n"
	}
	for want, n := range map[string]int{"! Secret shop/object-": 40, "-/+ Service shop/object-": 40, "~ ConfigMap shop/object-": updatesShown,
		"and 16 more objects (-o json shows all)": 1, "40 Deployment": 1, "object-39": 4} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is there %d times, want %d, in\n%s", want, got, n, text)
		}
	}
	var fields []lifecycle.FieldChange
	for i := range 20 {
		fields = append(fields, rendertest.Field(fmt.Sprintf("data.key%02d", i), "a", "b"))
	}
	lines := fieldLines(lifecycle.ObjectChange{}, fields, true)
	if len(lines) != fieldsShown+1 || lines[fieldsShown].text != "and 12 more fields (-o json shows all)" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1].text)
	}
	if lines := fieldLines(lifecycle.ObjectChange{}, fields[:fieldsShown+1], true); len(lines) != fieldsShown+1 ||
		strings.Contains(lines[fieldsShown].text, "more") {
		t.Errorf("one field too many is folded: %v", lines)
	}
}

func TestSameChangeIsTold(t *testing.T) {
	s := lifecycle.Step{Action: lifecycle.ActionApply}
	for _, name := range []string{"server", "repo-server", "dex"} {
		s.Objects = append(s.Objects, rendertest.Changed("Deployment", "argocd", name,
			rendertest.Field("spec.template.spec.containers[0].image", "quay.io/argoproj/argocd:v3.5.7", "quay.io/argoproj/argocd:v3.6.1")))
	}
	lines := objectLines(s)
	if len(lines) != 2 || lines[0].text != "3 Deployment  argocd: dex, repo-server, server  its pods are replaced" {
		t.Errorf("got %v", lines)
	}
}

func TestTotalsOfUnits(t *testing.T) {
	site := rendertest.Site(t, 1, 2)
	external := lifecycle.Site{Name: "virginia-eks", Provider: lifecycle.ProviderExternal}
	again := lifecycle.Step{Stage: "addons", Action: lifecycle.ActionApply, Target: "addon/argocd", Reason: "its release failed"}
	tenants := func(n int) []lifecycle.Step {
		var out []lifecycle.Step
		for i := range n {
			out = append(out, rendertest.TenantAdded(fmt.Sprintf("product-%d", i)))
		}
		return out
	}
	for _, tt := range []struct {
		name string
		site lifecycle.Site
		plan lifecycle.Plan
		want string
	}{
		{"bump", external, rendertest.UnitPlan(external, rendertest.MetalLBBump()),
			"addon metallb to go from 0.16.1 to 0.16.2: 3 objects change, 1 created, 13 only in labels; the pods of 2 workloads are replaced."},
		{"many tenants", external, rendertest.UnitPlan(external, tenants(4)...), "4 tenants to add: 44 objects created."},
		{"all sorts", site, rendertest.UnitPlan(site, append(tenants(2), rendertest.Drifted(), rendertest.Pruned(), again)...),
			"tenants product-0 and product-1 to add; the site's objects to put right; addon datadog to remove; " +
				"addon argocd to apply again: 4 objects put back, 9 deleted, 22 created, 3 kept; the pods of 1 workload are replaced. " +
				"No machine disturbed."},
		{"nothing differs", external, rendertest.UnitPlan(external, again), "addon argocd to apply again."},
	} {
		if got := Totals(tt.site, tt.plan); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestDriftText(t *testing.T) {
	c := rendertest.Drifted().Objects
	for i, want := range []string{"changed by kubectl-edit, 2026-11-21 14:03 UTC; put back", "changed in the cluster; put back",
		"deleted by hand; made again", "changed in the cluster; put back"} {
		if got := driftText(c[i]); got != want {
			t.Errorf("%s: got %q, want %q", c[i], got, want)
		}
	}
}
