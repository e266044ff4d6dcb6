package apply

import (
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestCheckFresh(t *testing.T) {
	base := func() lifecycle.Plan {
		p := rollout(2, lifecycle.Stage{Width: 1})
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
		{"pace", func(p *lifecycle.Plan) { p.Stages[0].Width = 50 }, "pace"},
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
