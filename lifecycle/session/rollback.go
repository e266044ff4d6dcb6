package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Rollback brings the site to what an earlier revision declares, which the session was opened for. What k0s can't take back is refused.
func (s *Session) Rollback(ctx context.Context) (Result, error) {
	state, err := s.Observe(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := tooFarBack(s.site, state, func() []lifecycle.KeptBackup {
		kept, ds := s.Backups(ctx)
		s.opts.Hooks.warn(ds...)
		return kept
	}); err != nil {
		return Result{}, err
	}
	s.opts.Hooks.note("Going back to revision %s of the repository.", s.site.Revision)
	return s.Apply(ctx, ApplyOptions{})
}

// RevisionBefore is the revision that was applied before the present one, by the cluster's own record of its runs.
func (s *Session) RevisionBefore(ctx context.Context) (string, error) {
	runs, err := s.Runs(ctx)
	if err != nil {
		return "", lifecycle.Errorf(s.site.Name, "the cluster cannot be asked what was applied before").From(err).
			Try("Name the revision: --to REV")
	}
	revision := revisionBefore(runs)
	if revision == "" {
		return "", lifecycle.Errorf(s.site.Name, "no revision before the present one is known").
			Because("The cluster's record of its runs holds none that was applied to its end from a clean work tree.").
			Try("Name the revision: --to REV. `kiban runs " + s.site.Name + "` lists what was run.")
	}
	return revision, nil
}

// revisionBefore finds, in runs from the newest to the oldest, the revision of the last one that succeeded with another declaration than
// the newest run's. A backup or a task on one machine applied nothing, from whatever revision it was run. One from a work tree with
// uncommitted changes cannot be had again.
func revisionBefore(runs []lifecycle.RunRecord) string {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r lifecycle.RunRecord) bool { return !r.Applied() })
	for _, r := range runs {
		if r.Digest != runs[0].Digest && r.Result == lifecycle.RunDone && r.Revision != "" && !strings.HasSuffix(r.Revision, "-dirty") {
			return r.Revision
		}
	}
	return ""
}

// tooFarBack refuses what k0s cannot take back: a control plane at an older version than it has.
func tooFarBack(site lifecycle.Site, state lifecycle.State, kept func() []lifecycle.KeptBackup) error {
	var have lifecycle.Version
	for _, h := range site.Cluster.Controllers() {
		if s, ok := state.Host(h.Name); ok {
			for _, v := range []lifecycle.Version{s.Running, s.Binary} {
				if s.Data && have.Less(v) {
					have = v
				}
			}
		}
	}
	want := site.Cluster.Version
	if pin := state.Past.Pinned.Value; !want.Less(have) || pin.Open() && want == pin.Former {
		return nil // what it is on the way from it goes back to, or the plan says why not
	}
	d := lifecycle.Errorf(site.Name, "k0s does not go back from %s to %s", have, want).
		Because("A control plane's data is written in the form of its version. The way back is a backup that was taken at the older one.")
	for _, b := range kept() {
		if b.Version == want && b.Verified != "" {
			return d.Because(fmt.Sprintf("There is one of %s in %s: %s", b.Taken, b.Place, b.Name)).
				Try(fmt.Sprintf("Revert the repository to %s, reset the controllers, then: %s. What was written since the backup is lost.",
					site.Revision, lifecycle.RestoreCommand(site.Name, b)))
		}
	}
	return d.Try(fmt.Sprintf("No backup of %s is known (`kiban backup list %s`); look where backups of the site are copied to.", want,
		site.Name))
}
