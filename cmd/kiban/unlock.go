package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/session"
)

type unlockOptions struct {
	app  *app
	Site string
	Yes  bool
}

func newUnlock(a *app, runF func(context.Context, *unlockOptions) error) *cobra.Command {
	opts := &unlockOptions{app: a}
	cmd := &cobra.Command{
		Use:   "unlock SITE",
		Short: "Take the lock of a site away from the run that holds it",
		Long: `Show which run holds the lock of a site, in the cluster and on its controllers, when it was renewed last, whether its process is known to
have ended, and what it has in hand; ask, and take the lock away from it.
A run that still lives does not begin another step: it finds out before, and stops. The step in hand goes on until another run has the lock.

This is seldom needed: the lock of a run that has died lapses by itself, half a minute after its last renewal.`,
		Example:           "  kiban unlock tokyo-prod",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, unlockRun),
	}
	cmd.Flags().BoolVar(&opts.Yes, "yes", false, "do not ask")
	return cmd
}

func unlockRun(ctx context.Context, opts *unlockOptions) (err error) {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.openWith(site, fleet, session.Options{Glance: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	state, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	locks, err := s.Locks(ctx)
	switch {
	case err != nil && len(locks) == 0:
		return lockUnread(site, err)
	case err != nil:
		a.note("Not every place of the lock could be read: %v", err)
	}
	if len(locks) == 0 {
		return a.result(fmt.Sprintf("No run holds the lock of %s.", site.Name))
	}
	for _, held := range byRun(locks) {
		gone := lock.ProcessGone(os.TempDir(), held.Process)
		a.note("%s\n%s%s", lock.Describe(held, time.Now()), fate(held, gone, time.Now()), inHand(state, held.Holder))
	}
	if err := a.confirm(ctx, opts.Yes, site.Name, "kiban unlock "+site.Name+" --yes"); err != nil {
		return err
	}
	for _, l := range locks {
		if err := s.BreakLock(ctx, l); errors.Is(err, lifecycle.ErrLockMoved) {
			return lifecycle.Blockedf(site.Name, "the lock has changed hands meanwhile, and was left alone").
				Try("kiban unlock " + site.Name).
				Hiding(err)
		} else if err != nil {
			return err
		}
	}
	return a.result(fmt.Sprintf("The lock of %s is free. Run %s does not begin another step.", site.Name, holders(locks)))
}

func lockUnread(site lifecycle.Site, err error) error {
	return lifecycle.Errorf(site.Name, "it can't be told who holds the lock").
		Try("kiban status " + site.Name).
		From(err)
}

// byRun are the locks with those of one run told as one: where it has them, and when one of them was renewed last.
func byRun(locks []lifecycle.Lock) []lifecycle.Lock {
	var out []lifecycle.Lock
	for _, l := range locks {
		i := slices.IndexFunc(out, func(o lifecycle.Lock) bool { return o.Holder == l.Holder })
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].Where += ", " + l.Where
		if l.Renewed.After(out[i].Renewed) {
			out[i].Renewed = l.Renewed
		}
	}
	return out
}

// holders are the runs that have one of these locks.
func holders(locks []lifecycle.Lock) string {
	var runs []string
	for _, l := range byRun(locks) {
		runs = append(runs, l.Holder)
	}
	return strings.Join(runs, ", ")
}

// fate says what is known of the run that has a lock: gone says that its process has ended for certain. Its last renewal is by its own clock, and
// so is no proof of anything.
func fate(l lifecycle.Lock, gone bool, now time.Time) string {
	age := now.Sub(l.Renewed)
	switch {
	case gone:
		return "It is dead for certain: its process ran on this machine and has ended. The next run from here has its lock at once."
	case age > lifecycle.LockDuration:
		return fmt.Sprintf("Whether it lives is not known from here. By its own clock it was last renewed at %s, %s ago: it is dead, stopped or cut off. "+
			"Its lock lapses as soon as another run has watched it for %s.", l.Renewed.UTC().Format("2006-01-02 15:04:05 UTC"), age.Round(time.Second),
			lifecycle.LockDuration)
	}
	return fmt.Sprintf("By its own clock it was last renewed %s ago, so it lives, or has died since: its process is not known to have ended. "+
		"One that lives would stop before its next step.", max(0, age).Round(time.Second))
}

// inHand says which nodes a run has taken out of service.
func inHand(state lifecycle.State, run string) string {
	var nodes []string
	for _, n := range state.Nodes {
		if n.Mark.Run == run {
			nodes = append(nodes, n.Name+" ("+n.Mark.Reason+")")
		}
	}
	if len(nodes) == 0 {
		return ""
	}
	return " It has taken out of service: " + strings.Join(nodes, ", ") + ". The next apply returns them."
}
