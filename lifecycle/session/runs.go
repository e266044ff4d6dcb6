package session

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
)

// Runs are the runs that the cluster keeps a record of, newest first.
func (s *Session) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) {
	return s.parts.Records.Runs(ctx)
}

// knownRuns are the site's runs, as the cluster and the journals here know them, newest first. What can't be read says nothing.
func (s *Session) knownRuns(ctx context.Context) []lifecycle.RunRecord {
	here, unread, err := journal.Records(RunsDir(s.opts.Fleet), s.site.Name)
	if err != nil {
		s.opts.Hooks.note("The journals here can't be read: %v", err)
	}
	if len(unread) > 0 {
		s.opts.Hooks.warn(unread...)
	}
	kept, err := s.Runs(ctx)
	if err != nil {
		s.opts.Hooks.note("The cluster could not be asked for its runs: %v", err)
	}
	return merged(here, kept)
}

// merged are the runs of journals and those that the cluster keeps, each once, newest first.
func merged(here, kept []lifecycle.RunRecord) []lifecycle.RunRecord {
	var out []lifecycle.RunRecord
	for _, r := range journal.Merge(here, kept) {
		out = append(out, r.RunRecord)
	}
	return out
}

// recordsNow are the cluster's records of runs. What was read since the last look is not asked for again.
func (s *Session) recordsNow(ctx context.Context) ([]lifecycle.RunRecord, error) {
	s.mu.Lock()
	runs, read := s.records, s.recordsRead
	s.mu.Unlock()
	if read {
		return runs, nil
	}
	runs, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records, s.recordsRead = runs, true
	return runs, nil
}

// estimateLimit bounds the wait for the records of past runs: an estimate is not worth more.
const estimateLimit = 5 * time.Second

// estimated is the plan with how long it may take, by what the cluster keeps of past runs. It asks for them only when machines have to be
// changed in a cluster that is there. Records that can't be read are no failure of the plan: it has no estimate then.
func (s *Session) estimated(ctx context.Context, plan lifecycle.Plan) lifecycle.Plan {
	machines := slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Target != "" && !lifecycle.IsUnit(s.Target) })
	if !machines || plan.ClusterUID == "" {
		return plan
	}
	ctx, cancel := lifecycle.Within(ctx, estimateLimit, "no answer")
	defer cancel()
	runs, err := s.recordsNow(ctx)
	if err != nil {
		s.opts.Log.Debug("the plan has no estimate: the records of past runs could not be read", "site", plan.Site, "error", err)
		return plan
	}
	plan.Estimate = s.parts.Plans.Estimate(plan, runs)
	return plan
}
