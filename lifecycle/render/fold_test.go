package render

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestManyBudgetsAreOneFinding: 25 budgets in the way take a few lines, in a plan and in its readiness; a merge request has all to
// unfold.
func TestManyBudgetsAreOneFinding(t *testing.T) {
	var own lifecycle.Diagnostics
	var found []lifecycle.ReadinessFinding
	for i := range 25 {
		ns, name := fmt.Sprintf("team-%d", i), fmt.Sprintf("web-%d", i)
		hint := fmt.Sprintf("Raise the replicas of Deployment %s/app-%d. Or: kubectl --namespace %s edit poddisruptionbudget %s",
			ns, i, ns, name)
		d := lifecycle.Blockedf(ns+"/"+name, "the budget can never allow an eviction").Because("It guards app-" + fmt.Sprint(i)).Try(hint)
		own = append(own, d)
		found = append(found, lifecycle.ReadinessFinding{Rule: "plan", Rank: lifecycle.RankBlocks, Subject: d.Subject, Summary: d.Summary,
			Seen: []string{d.Detail}, Remedy: hint})
	}
	own = append(own, lifecycle.Blockedf("site.yaml:3", "a").Try("x"), lifecycle.Blockedf("site.yaml:4", "a").Try("x"),
		lifecycle.Blockedf("site.yaml:5", "a").Try("x"))
	var plan, ready strings.Builder
	if err := PlanText(&plan, lifecycle.Site{}, lifecycle.Plan{Site: "lab", Diagnostics: own}, Style{}); err != nil {
		t.Fatal(err)
	}
	r := lifecycle.Readiness{Site: "lab", To: lifecycle.Version{Major: 1, Minor: 37}, Findings: found}
	if err := ReadinessText(&ready, r, false, Style{}); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the plan": plan.String(), "readiness": ready.String()} {
		if n := strings.Count(text, "can never allow an eviction"); n > 2 || strings.Count(text, "\n") > 28 ||
			!strings.Contains(text, "25 alike: team-0/web-0, team-1/web-1, team-2/web-2 and 22 more") ||
			!strings.Contains(text, "edit poddisruptionbudget web-0 (and so for the others)") ||
			!strings.Contains(text, "team-2/web-2: It guards") {
			t.Errorf("%s:\n%s", what, text)
		}
	}
	if n := strings.Count(plan.String(), "on site.yaml line"); n != 3 {
		t.Errorf("places in files are folded: %d of 3", n)
	}
	var note strings.Builder
	if err := PlanMarkdown(&note, lifecycle.Site{}, lifecycle.Plan{Site: "lab", Diagnostics: own}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{note.String(), ReadinessMarkdown(r, 9)} {
		if !strings.Contains(text, "team-24/web-24") || strings.Count(text, "(and so for the others)") != 1 {
			t.Errorf("a merge request has:\n%s", text)
		}
	}
}

// TestAPlanTellsItsReadinessOnce: what readiness says below stands above only as far as it stops the plan.
func TestAPlanTellsItsReadinessOnce(t *testing.T) {
	r := lifecycle.Readiness{Site: "lab", To: lifecycle.Version{Major: 1, Minor: 37}, Findings: []lifecycle.ReadinessFinding{
		{Rule: "x", Rank: lifecycle.RankBlocks, Subject: "a", Summary: "it breaks", Remedy: "Mend it."},
		{Rule: "y", Rank: lifecycle.RankAttention, Subject: "b", Summary: "it may break", Remedy: "Look."},
	}, Unseen: []lifecycle.Unseen{{What: "who asks", Why: "forbidden", Remedy: "Let it."}}}
	p := lifecycle.Plan{Site: "lab", Readiness: &r, Diagnostics: append(lifecycle.Diagnostics{lifecycle.Warnf("lab", "another")},
		r.Diagnostics()...)}
	var text, note strings.Builder
	if err := PlanText(&text, lifecycle.Site{}, p, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := PlanMarkdown(&note, lifecycle.Site{}, p); err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{text.String(), note.String()} {
		for once, n := range map[string]int{"it breaks": 1, "it may break": 1, "who asks": 1, "to see to before": 0, "another": 1} {
			if got := strings.Count(said, once); got != n {
				t.Errorf("%q is told %d times, not %d:\n%s", once, got, n, said)
			}
		}
	}
	if !strings.Contains(text.String(), "Blocked: v1.37.0+k0s.0 would break what is there") ||
		!strings.Contains(text.String(), "Try: Let it.") {
		t.Errorf("that it stops the plan, or how to see more, is lost:\n%s", text.String())
	}
}

// TestUnlikeMachinesAreOneFindingAKind: machines with another kernel are told together, those with other drop-ins apart from them.
func TestUnlikeMachinesAreOneFindingAKind(t *testing.T) {
	odd := func(subject, summary string) lifecycle.ReadinessFinding {
		return lifecycle.ReadinessFinding{Rule: ruleUnlike, Rank: lifecycle.RankGood, Subject: subject, Summary: summary, Remedy: "Look."}
	}
	got := alikeFindings([]lifecycle.ReadinessFinding{odd("c1", "kernel 6.1 on c1, 6.12 on 4 others"),
		odd("w3", "containerd drop-in a on w3, none on 10 others"), odd("workers", "kernel 5 on w1 and w2, 6.12 on 10 others")})
	if len(got) != 2 || strings.Join(got[0].subjects, " ") != "c1 workers" ||
		got[0].Summary != "kernel 6.1 on c1, 6.12 on 4 others; kernel 5 on w1 and w2, 6.12 on 10 others" {
		t.Errorf("%+v", got)
	}
}
