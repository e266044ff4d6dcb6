package session

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
)

// Witnesses tell what a version would break, beyond what a look tells.
type Witnesses interface {
	// Evidence asks the site's API and machines, and changes nothing. What could not be learnt says why.
	Evidence(ctx context.Context, seen lifecycle.State, target lifecycle.Version) lifecycle.Evidence
}

// Ready looks at the site and says what a version would break there. The zero version stands for the one that comes next: the declared
// one where it is not reached, else the next minor release. exact says that it is a version to install, whose release there has to be.
func (s *Session) Ready(ctx context.Context, to lifecycle.Version, exact bool) (lifecycle.Readiness, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return lifecycle.Readiness{}, err
	}
	if to.IsZero() {
		to = nextVersion(s.site, seen)
	}
	if to, err = s.reachable(seen, to, exact); err != nil {
		return lifecycle.Readiness{}, err
	}
	r := s.readiness(ctx, seen, to)
	r = s.withPlanned(ctx, seen, r)
	if exact || to == s.site.Cluster.Version {
		s.sourced(ctx, seen, to, &r)
	}
	if f, lacks := s.wayMissing(seen, to); lacks {
		r.Findings = append(r.Findings, f)
		r.Sort()
	}
	return r, nil
}

// wayMissing is the finding that hops to a version are not declared: a plan would stop there. It is in the way of a declared version.
func (s *Session) wayMissing(seen lifecycle.State, to lifecycle.Version) (f lifecycle.ReadinessFinding, lacks bool) {
	path, assumed := readiness.Way(s.site.Policy.Path, seen.Lowest(), to)
	if len(assumed) == 0 || s.site.Provider == lifecycle.ProviderExternal {
		return f, false
	}
	f = lifecycle.ReadinessFinding{Rule: "plan", Rank: lifecycle.RankAttention, Subject: s.site.Name,
		Summary: fmt.Sprintf("the way to %s needs %s of minor releases between, which nothing declares", to,
			lifecycle.Count(len(assumed), "version"))}
	if s.site.Cluster.Version == to {
		f.Rank = lifecycle.RankBlocks
	}
	var hops []string
	for _, v := range path {
		if seen.Lowest().Less(v) {
			hops = append(hops, v.String())
		}
	}
	f.Seen = []string{"judged by way of " + lifecycle.Enumerate(hops) + "; one minor release a hop"}
	f.Remedy = fmt.Sprintf("Set spec.k0s.version to %s and, in the same change, spec.upgrade.path of the Site to [%s].", to,
		strings.Join(hops, ", "))
	return f, true
}

// reachable refuses a version that no plan leads to. A minor release of which the site has a patch already stands for that.
func (s *Session) reachable(seen lifecycle.State, to lifecycle.Version, exact bool) (lifecycle.Version, error) {
	var have lifecycle.Version // the newest that a member has
	for _, h := range seen.Hosts {
		if v := h.Level(); have.Less(v) {
			have = v
		}
	}
	older := to.MinorsAhead(have) < 0 || (exact || to.Patch > 0) && to.MinorsAhead(have) == 0 && to.Patch < have.Patch
	switch {
	case to.Major == 0:
		return to, lifecycle.Errorf(s.site.Name, "which version? Nothing tells which one it has").Try("kiban ready " + s.site.Name + " --to 1.37")
	case have.IsZero():
		return to, nil
	case older:
		return to, lifecycle.Errorf(s.site.Name, "it has %s, which is newer than %s", have, to).Because("k0s does not go back.").
			Try("kiban ready " + s.site.Name)
	case to.Major != have.Major:
		return to, lifecycle.Errorf(s.site.Name, "there is no Kubernetes %d.%d", to.Major, to.Minor).Try("kiban ready " + s.site.Name)
	case to.MinorsAhead(have) == 0 && to.Build == 0 && to.Prerelease == "" && to.Less(have): // it has a later build, or "1.37" was asked
		return have, nil
	}
	return to, nil
}

// planned are the findings of the plan that would lead to the version. A site whose machines somebody else runs has no such plan.
func (s *Session) planned(seen lifecycle.State, to lifecycle.Version) lifecycle.Diagnostics {
	if s.site.Provider == lifecycle.ProviderExternal || seen.API.NotYet || seen.API.Unknown != "" {
		return nil
	}
	site := s.site
	site.Cluster.Version = to
	// what is asked about is judged by the way that there would be: a path that is not declared would hide all else that the plan finds
	site.Policy.Path, _ = readiness.Way(site.Policy.Path, seen.Lowest(), to)
	return s.parts.Plans.Make(site, seen, lifecycle.PlanOptions{}).Diagnostics
}

// withPlanned adds what stops the plan: budgets that let nobody go, pods that a drain refuses to move, charts that can't be had. What both
// tell is told as the plan has it.
func (s *Session) withPlanned(ctx context.Context, seen lifecycle.State, r lifecycle.Readiness) lifecycle.Readiness {
	own, site := s.planned(seen, r.To), s.site.Name
	in := readiness.Input{Site: s.site}
	if s.parts.Witnesses != nil {
		in.Evidence = s.evidence(ctx, seen, r.To) // which namespace is whose
	}
	r, own = r.WithUnserved(own)
	r = r.Beside(own)
	r.Stops = 0 // they are among the findings
	for _, d := range own {
		stops := len(lifecycle.Diagnostics{d}.Stopping()) > 0
		if !stops && d.Rule == "" {
			continue
		}
		f := lifecycle.ReadinessFinding{Rule: cmp.Or(d.Rule, "plan"), Rank: lifecycle.RankBlocks, Subject: cmp.Or(d.Subject, site),
			Owner: in.OwnerOf(d.Namespace), Machines: d.Subjects, Summary: d.Summary, Remedy: cmp.Or(d.Hint, "kiban plan "+site)}
		if !stops {
			f.Rank = lifecycle.RankAttention
		}
		if d.Detail != "" {
			f.Seen = strings.Split(d.Detail, "\n")
		}
		r.Findings = append(r.Findings, f)
	}
	r.Sort()
	return r
}

// arch is the architecture of the first machine that tells.
func (s *Session) arch(seen lifecycle.State) string {
	for _, h := range seen.Hosts {
		if h.Arch != "" {
			return h.Arch
		}
	}
	return "amd64"
}

// readiness judges a version by what was seen and by what witnesses tell.
func (s *Session) readiness(ctx context.Context, seen lifecycle.State, to lifecycle.Version) lifecycle.Readiness {
	in := readiness.Input{Site: s.site, State: seen, Target: to, Now: time.Now()}
	if s.parts.Witnesses != nil {
		in.Evidence = s.evidence(ctx, seen, to)
	}
	return s.parts.Plans.Ready(in)
}

// heard is what witnesses told, and when.
type heard struct {
	of       lifecycle.Version
	at       time.Time
	evidence lifecycle.Evidence
}

// heardFor is how long that holds: a plan that is made again behind the lock asks a large API nothing twice.
const heardFor = 2 * time.Minute

// evidence asks the witnesses, or takes what they have told a moment ago.
func (s *Session) evidence(ctx context.Context, seen lifecycle.State, to lifecycle.Version) lifecycle.Evidence {
	s.mu.Lock()
	last := s.heard
	s.mu.Unlock()
	if last.of == to && time.Since(last.at) < heardFor {
		return last.evidence
	}
	now := heard{of: to, at: time.Now(), evidence: s.parts.Witnesses.Evidence(ctx, seen, to)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = now
	return now.evidence
}

// forget drops what witnesses told: a run changes what they saw.
func (s *Session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = heard{}
}

// judged adds to a plan that changes the version what that would break.
func (s *Session) judged(ctx context.Context, seen lifecycle.State, plan lifecycle.Plan) lifecycle.Plan {
	if len(plan.Hops) == 0 {
		return plan
	}
	r := s.readiness(ctx, seen, plan.Target).Beside(plan.Diagnostics)
	plan.Readiness = &r
	plan.Diagnostics = append(plan.Diagnostics, r.Diagnostics()...)
	plan.Diagnostics.Sort()
	return plan
}

// nextVersion is the version that a site is most likely to have next.
func nextVersion(site lifecycle.Site, seen lifecycle.State) lifecycle.Version {
	low := seen.Lowest()
	if site.Provider == lifecycle.ProviderExternal {
		low = readiness.ServedNow(seen) // it has no machine that would tell
	}
	if declared := site.Cluster.Version; low.IsZero() || low.Less(declared) {
		return declared
	}
	return lifecycle.Version{Major: low.Major, Minor: low.Minor + 1}
}
