package review

import (
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestCheckFresh(t *testing.T) {
	base := func() lifecycle.Plan {
		p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "workers", Width: 1}}}
		for _, target := range []string{"w1", "w2"} {
			for _, a := range []lifecycle.Action{lifecycle.ActionCordon, lifecycle.ActionDrain, lifecycle.ActionUpgrade, lifecycle.ActionUncordon} {
				p.Steps = append(p.Steps, lifecycle.Step{ID: target + "/" + string(a), Stage: "workers", Action: a, Target: target, Reason: "because"})
			}
		}
		p.Format, p.Site, p.SiteDigest, p.FactsDigest, p.ClusterUID = lifecycle.PlanFormat, "lab", "sha256:site", "sha256:facts", "uid"
		return p
	}
	tests := []struct {
		name string
		edit func(p *lifecycle.Plan)
		want string // "" when the saved plan still holds
	}{
		{"same", func(*lifecycle.Plan) {}, ""},
		{"findings that stop nothing may differ", func(p *lifecycle.Plan) {
			p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "budget busy"}}
		}, ""},
		{"other site", func(p *lifecycle.Plan) { p.Site = "tokyo-prod" }, "made for site lab"},
		{"other format", func(p *lifecycle.Plan) { p.Format = "2.0" }, "format"},
		{"declaration", func(p *lifecycle.Plan) { p.SiteDigest = "sha256:other" }, "declaration has changed"},
		{"facts", func(p *lifecycle.Plan) { p.FactsDigest = "sha256:other" }, "machines or the cluster have changed"},
		{"another cluster", func(p *lifecycle.Plan) { p.ClusterUID = "other" }, "another cluster"},
		{"a step more", func(p *lifecycle.Plan) {
			p.Steps = append(p.Steps, lifecycle.Step{ID: "w3/drain", Reason: "new worker"})
		}, "+ w3/drain: new worker"},
		{"a step less", func(p *lifecycle.Plan) { p.Steps = p.Steps[1:] }, "- w1/cordon"},
		{"a step tampered with", func(p *lifecycle.Plan) { p.Steps[2].After = []lifecycle.Gate{{Kind: lifecycle.GateBudgets}} }, "~ w1/upgrade"},
		{"pace", func(p *lifecycle.Plan) { p.Stages[0].Width = 50 }, "going 1 at once was planned, it would be 50 now"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := base()
			tt.edit(&now)
			err := CheckFresh(base(), now)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrStale) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want stale with %q", err, tt.want)
			}
		})
	}
}

// A reviewer is told which object is another one than was planned; who wrote a value that is the same is no difference.
func TestCheckFreshTellsOfObjects(t *testing.T) {
	ref := func(name string) lifecycle.ObjectRef {
		return lifecycle.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: name}
	}
	plan := func(objects ...lifecycle.ObjectChange) lifecycle.Plan {
		return lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab",
			Steps: []lifecycle.Step{{ID: "addon/shop/apply", Target: "addon/shop", Reason: "chart 2 is declared", Objects: objects}}}
	}
	image := func(from, by string) lifecycle.ObjectChange {
		return lifecycle.ObjectChange{ObjectRef: ref("web"), Change: lifecycle.ChangeUpdate,
			Fields: []lifecycle.FieldChange{{Field: "spec.image", From: from, To: "web:2", By: by}}}
	}
	created := lifecycle.ObjectChange{ObjectRef: ref("web"), Change: lifecycle.ChangeCreate}
	other := lifecycle.ObjectChange{ObjectRef: ref("db"), Change: lifecycle.ChangeUpdate}
	more := image("web:1", "")
	more.Fields = append(more.Fields, lifecycle.FieldChange{Field: "spec.replicas", From: "9", To: "2"})
	for name, tt := range map[string]struct {
		saved, now lifecycle.Plan
		want       string
	}{
		"written by another": {plan(image("web:1", "")), plan(image("web:1", "kubectl-set")), ""},
		"set to another": {plan(image("web:1", "")), plan(image("evil:1", "kubectl-set")),
			"Deployment shop/web: spec.image was web:1 when it was planned, and is evil:1 now"},
		"another field":     {plan(image("web:1", "")), plan(more), "spec.replicas was as declared when it was planned, and is 9 now"},
		"a field put right": {plan(more), plan(image("web:1", "")), "spec.replicas was 9 when it was planned, and is as declared now"},
		"an object more":    {plan(created), plan(created, other), "Deployment shop/db was to stay as it was, and would change now (update)"},
		"an object less":    {plan(created, other), plan(created), "Deployment shop/db was to change (update), and has no need to any more"},
		"it was made by hand": {plan(created), plan(image("web:1", "kubectl")),
			"Deployment shop/web: create was planned, it would be update now"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckFresh(tt.saved, tt.now)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want != "" && (!errors.Is(err, ErrStale) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want stale with %q", err, tt.want)
			}
		})
	}
}
