package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
)

// carryOut runs a plan with a journal, for whoever watches. It gives the run's own summary.
func (s *Session) carryOut(
	ctx context.Context, g goal, t *turn, plan lifecycle.Plan, review *lifecycle.Review,
) (summary string, err error) {
	if d := s.backups().Unencrypted(); d != nil && does(plan, lifecycle.ActionBackup) {
		s.opts.Hooks.warn(*d)
	}
	base := filepath.Join(RunsDir(s.opts.Fleet), s.site.Name, t.run)
	j, err := journal.Open(base + ".jsonl")
	if err != nil {
		return "", unrecordable(s.site, err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	commands, err := os.OpenFile(base+".commands.jsonl", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", unrecordable(s.site, err)
	}
	defer func() { err = errors.Join(err, commands.Close()) }()
	view := s.opts.Hooks.watch(plan, t.run, j.Path())
	keep := g.keepBackup
	if keep == nil {
		keep = s.keepBackups
	}
	err = s.parts.Runner.Run(ctx, plan, Run{
		ID:         t.run,
		Who:        s.opts.Who,
		Where:      s.opts.Where,
		Doing:      g.doing,
		Follows:    g.follow && plan.Unfinished != "",
		Review:     review,
		Seen:       s.lastSeen(),
		Fence:      t.fence,
		Sink:       lifecycle.Sinks(j.Sink, view.Sink, keepSummary(&summary)),
		Commands:   commands,
		KeepBackup: keep(t.run),
		Backup:     func(before lifecycle.Version) (lifecycle.KeptBackup, bool) { return s.backupBefore(ctx, before) },
		Stop:       view.Stop,
		WorkDone:   view.WorkDone,
	})
	return summary, errors.Join(err, view.Close())
}

// keepSummary is a sink that remembers the run's last word.
func keepSummary(into *string) lifecycle.Sink {
	return func(e lifecycle.Event) error {
		if e.Kind == lifecycle.EventSummary {
			*into = fmt.Sprintf("%s in %s", strings.TrimSuffix(e.Message, "."), e.Elapsed.Round(time.Second))
		}
		return nil
	}
}

func unrecordable(site lifecycle.Site, err error) error {
	return lifecycle.Errorf(site.Name, "the run can't be recorded, so nothing was done").From(err).
		Try("Make the folder .kiban of the fleet writable.")
}
