package lifecycle

// Survey is what one look at a site tells, and what its cluster and the places of its backups keep, each for itself: what one of them
// does not tell says why, and keeps nothing else from being told.
type Survey struct {
	// State is the look. Where nobody answered (State.Unseen), nothing below was asked.
	State State
	// Locks are those that runs hold, lapsed ones included; where not every place of the lock tells, those of the others, with the reason.
	Locks Answer[[]Lock]
	// Plan is what would be done to the site, with what its version would break.
	Plan Plan
	// Readiness is what the next version would break.
	Readiness Answer[Readiness]
	// Soak is how long it has run its versions, this look included.
	Soak Answer[Soak]
	// Pinned is the upgrade in two steps that is under way, or was last; zero where there was none.
	Pinned Answer[Pinned]
	// Runs are those that the cluster keeps a record of, newest first.
	Runs Answer[[]RunRecord]
	// Backups are those that are kept, newest first. Unasked names the places that could not be asked for theirs.
	Backups Answer[[]KeptBackup]
	Unasked []string
	// Tenants are what tenants use of their quotas.
	Tenants Answer[[]TenantUse]
}

// Unseen reports whether nobody at the site answered.
func (s Survey) Unseen() bool {
	_, unseen := s.State.Unseen()
	return unseen
}

// Proven is the last restore of a backup of the site, in a lab, that went through, wherever that is known from; nil: none is known.
func (s Survey) Proven() *Proof {
	p := s.State.Proven()
	for _, b := range s.Backups.Value {
		p = p.Later(b.Proven)
	}
	return p
}
