package lock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Describe says who has a lock, since when, and for what; with now, how long ago it was renewed.
func Describe(l lifecycle.Lock, now time.Time) string {
	lines := []string{fmt.Sprintf("%s has it since %s: %s", l.Who, l.Since.UTC().Format("2006-01-02 15:04:05 UTC"), l.Doing),
		"run " + l.Holder}
	if !now.IsZero() && !l.Renewed.IsZero() {
		lines[1] += ", renewed " + ago(now.Sub(l.Renewed))
	}
	lines[1] += fmt.Sprintf(" (%s)", l.Where)
	return strings.Join(lines, "\n")
}

// ago says how long ago something was: to the second where that is not long.
func ago(d time.Duration) string {
	if d < 2*time.Minute {
		return max(0, d).Round(time.Second).String() + " ago"
	}
	return lifecycle.Span(d) + " ago"
}

// ByRun are the locks with those of one run told as one: where it has them, and when one of them was renewed last.
func ByRun(locks []lifecycle.Lock) []lifecycle.Lock {
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

// Holders are the runs that have one of these locks.
func Holders(locks []lifecycle.Lock) string {
	var runs []string
	for _, l := range ByRun(locks) {
		runs = append(runs, l.Holder)
	}
	return strings.Join(runs, ", ")
}

// Fate says what is known of the run that has a lock: gone says that its process has ended for certain. Its last renewal is by its own
// clock, and so is no proof of anything.
func Fate(l lifecycle.Lock, gone bool, now time.Time) string {
	age := now.Sub(l.Renewed)
	switch {
	case gone:
		return "It is dead for certain: its process ran on this machine and has ended. The next run from here has its lock at once."
	case age > lifecycle.LockDuration:
		return fmt.Sprintf("Whether it lives is not known from here. By its own clock it was last renewed at %s, %s: "+
			"it is dead, stopped or cut off. "+
			"Its lock lapses as soon as another run has watched it for %s.", l.Renewed.UTC().Format("2006-01-02 15:04:05 UTC"),
			ago(age), lifecycle.LockDuration)
	}
	return fmt.Sprintf("By its own clock it was last renewed %s, so it lives, or has died since: its process is not known to have ended. "+
		"One that lives is cut off in the middle of its step: controllers refuse its next command.", ago(age))
}

// InHand says which nodes a run has taken out of service.
func InHand(state lifecycle.State, run string) string {
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

// Alive are the locks that were renewed a moment ago, by the clocks of their runs, and whose process is not known to have ended: those runs
// are at work, or have died since. gone says so of a process; nil knows of none.
func Alive(locks []lifecycle.Lock, gone func(process string) bool, now time.Time) []lifecycle.Lock {
	return slices.DeleteFunc(ByRun(locks), func(l lifecycle.Lock) bool {
		return Lapsed(l, now) || gone != nil && gone(l.Process)
	})
}

// During are findings about a site while runs are at work on it (see Alive): none sends anybody to plan or apply beside them.
func During(alive []lifecycle.Lock, ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	if len(alive) == 0 {
		return ds
	}
	out := slices.Clone(ds)
	for i, d := range out {
		if strings.Contains(d.Hint, "kiban plan ") || strings.Contains(d.Hint, "kiban apply ") {
			out[i].Hint = "Let run " + Holders(alive) + " end, which is at work on the site. Then: " + d.Hint
		}
	}
	return out
}

// AtWork warns whoever plans for a site that runs are at work on it (see Alive).
func AtWork(site string, alive []lifecycle.Lock, now time.Time) lifecycle.Diagnostic {
	var who []string
	for _, l := range alive {
		who = append(who, Describe(l, now))
	}
	return lifecycle.Warnf(site, "another run is at work on this site, and the plan is of a moment in the middle of it").
		Because(who...).
		Try("Let it end, then plan again: kiban status " + site + " shows how far it is.")
}

// Told is what a look at a site says of its locks: held where runs have it, or had it when they ended; unknown where that could not be
// read. Each is "" where there is nothing to say. past are the runs that are known of the site.
func Told(locks []lifecycle.Lock, past []lifecycle.RunRecord, unread error, now time.Time) (held, unknown string) {
	all := ByRun(locks)
	lapsed := func(l lifecycle.Lock) bool { return Lapsed(l, now) && !l.Renewed.IsZero() } // one that does not tell may be held
	free := unread == nil && !slices.ContainsFunc(all, func(l lifecycle.Lock) bool { return !lapsed(l) })
	for _, l := range all {
		head, lines := "Locked: ", Describe(l, now)
		if lapsed(l) {
			head, lines = "", leftBehind(l, past, now)
		}
		if free {
			head = "Not locked. "
		}
		held += head + strings.ReplaceAll(lines, "\n", "\n        ") + "\n\n"
	}
	if unread != nil {
		unknown = fmt.Sprintf("\nLocked: not known: %v\n", unread)
	}
	return held, unknown
}

// Lapsed reports whether a lock was not renewed for longer than its holder may leave it, by the holder's clock.
func Lapsed(l lifecycle.Lock, now time.Time) bool {
	return now.Sub(l.Renewed) > lifecycle.LockDuration+suspectSlack
}

// leftBehind says of a lapsed lock whose it was, and how it comes to be there.
func leftBehind(l lifecycle.Lock, past []lifecycle.RunRecord, now time.Time) string {
	why := "That run was killed, stopped or cut off."
	restored := slices.ContainsFunc(past, func(r lifecycle.RunRecord) bool {
		return strings.HasPrefix(r.Doing, "restore ") && r.ID != l.Holder && r.Ended.After(l.Renewed)
	})
	onMachines := strings.Contains(l.Where, "/run/") // which no backup holds
	switch {
	case onMachines:
	case restored:
		why = "It came with the backup that was restored since: that run had it when the backup was taken."
	default:
		why = "That run was killed, stopped or cut off, or the lock came with a backup that was restored."
	}
	return fmt.Sprintf("A lock that has lapsed is left of run %s, %s, which was last heard of %s (%s).\n%s\n"+
		"Nothing is to be done about it: the next run watches it for %s, and then has it.",
		l.Holder, cmp.Or(l.Doing, "of which nothing is known"), ago(now.Sub(l.Renewed)), l.Where, why, lifecycle.LockDuration)
}
