package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

type proofs struct {
	proof *lifecycle.Proof
	err   error
}

func (p proofs) Proven(context.Context) (*lifecycle.Proof, error) { return p.proof, p.err }

func TestProven(t *testing.T) {
	ago := func(d time.Duration) *lifecycle.Proof {
		return &lifecycle.Proof{Backup: "b.tar.gz", At: checker(&world{}, lifecycle.Site{}).now().Add(-d).UTC().Format(time.RFC3339)}
	}
	day := lifecycle.Site{Name: "s", Backup: lifecycle.Backups{Proven: 24 * time.Hour}}
	for name, c := range map[string]struct {
		site lifecycle.Site
		from Proofs
		want verdict
	}{
		"young":            {day, proofs{proof: ago(3 * time.Hour)}, verdict{lifecycle.GateMet, "3 h ago"}},
		"too old":          {day, proofs{proof: ago(25 * time.Hour)}, verdict{lifecycle.GateWaiting, "b.tar.gz, 1 day 1 h ago"}},
		"never":            {day, proofs{}, verdict{lifecycle.GateWaiting, "No backup of the site is known"}},
		"not known":        {day, proofs{err: errors.New("no answer")}, verdict{lifecycle.GateWaiting, "no answer"}},
		"without a time":   {day, proofs{proof: &lifecycle.Proof{Backup: "b", At: "?"}}, verdict{lifecycle.GateWaiting, "No backup"}},
		"not asked for":    {lifecycle.Site{}, proofs{}, verdict{lifecycle.GateSkipped, "no proof"}},
		"nobody to ask":    {day, nil, verdict{lifecycle.GateWaiting, "nobody"}},
		"from tomorrow on": {day, proofs{proof: ago(-time.Minute)}, verdict{lifecycle.GateMet, "less than a minute ago"}},
	} {
		k := checker(&world{}, c.site)
		if c.from != nil {
			k.WatchProofs(c.from)
		}
		t.Run(name, func(t *testing.T) {
			c.want.check(t, k.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateProven}, time.Time{}))
		})
	}
}
