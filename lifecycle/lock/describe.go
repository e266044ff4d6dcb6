package lock

import (
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
		lines[1] += fmt.Sprintf(", renewed %s ago", max(0, now.Sub(l.Renewed)).Round(time.Second))
	}
	lines[1] += fmt.Sprintf(" (%s)", l.Where)
	return strings.Join(lines, "\n")
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
		return fmt.Sprintf("Whether it lives is not known from here. By its own clock it was last renewed at %s, %s ago: "+
			"it is dead, stopped or cut off. "+
			"Its lock lapses as soon as another run has watched it for %s.", l.Renewed.UTC().Format("2006-01-02 15:04:05 UTC"),
			age.Round(time.Second),
			lifecycle.LockDuration)
	}
	return fmt.Sprintf("By its own clock it was last renewed %s ago, so it lives, or has died since: its process is not known to have ended. "+
		"One that lives would stop before its next step.", max(0, age).Round(time.Second))
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
