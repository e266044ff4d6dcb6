package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Proofs tells which backup of the site was restored last in a lab.
type Proofs interface {
	// Proven is the last proof; nil: none is known.
	Proven(ctx context.Context) (*lifecycle.Proof, error)
}

// WatchProofs has the checker ask for proven backups. Without it their gate is not met.
func (c *Checker) WatchProofs(p Proofs) { c.proofs = p }

func (c *Checker) proven(ctx context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	if c.site.Backup.Proven == 0 {
		return skipped("the site asks for no proof of its backups")
	}
	if c.proofs == nil {
		return waiting("nobody tells which backups are proven")
	}
	p, err := c.proofs.Proven(ctx)
	if err != nil {
		return unknown("it is not known whether a backup is proven", err)
	}
	return decideProven(c.site.Backup, p, c.now())
}

// decideProven: a backup was restored in a lab no longer ago than the site says.
func decideProven(rules lifecycle.Backups, p *lifecycle.Proof, now time.Time) lifecycle.GateResult {
	if why := rules.Unproven(p, now); why != "" {
		return waiting("%s spec.backup.proven asks for one within %s: kiban drill restores the newest in a lab", why,
			lifecycle.Span(rules.Proven))
	}
	age, _ := p.Age(now)
	return met("%s was restored in a lab %s ago, in %s", p.Backup, lifecycle.Span(age), lifecycle.Span(p.Took))
}
