package fleet

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Table is the queue as the head and the rows of a table, cells apart by tabs.
func (q Queue) Table() (head string, rows []string) {
	for _, p := range q.Places {
		why := p.Why
		if !p.Until.IsZero() {
			why += ", until " + lifecycle.Stamp(p.Until)
		}
		wave := fmt.Sprint(p.Wave)
		if p.Unread {
			wave = "?"
		}
		rows = append(rows, strings.Join([]string{p.Site, wave, string(p.Turn), lifecycle.OneLine(why)}, "\t"))
	}
	return "SITE\tWAVE\tTURN\tWHY", rows
}

// Summary says how many sites there are of each turn: "2 go, 1 waits, 5 done".
func (q Queue) Summary() string {
	var parts []string
	for _, t := range Turns() {
		if n := len(q.Of(t)); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, t))
		}
	}
	if len(parts) == 0 {
		return "The fleet has no site"
	}
	return strings.Join(parts, ", ")
}

// Err says that no site may go, and not all are done; nil where some may, or nothing is left.
func (q Queue) Err() error {
	if len(q.Of(TurnGo)) > 0 || len(q.Of(TurnDone)) == len(q.Places) {
		return nil
	}
	return lifecycle.Blockedf("", "no site may go now: %s", q.Summary())
}

// Holding are the failures that hold sites, and not those that were lifted.
func (q Queue) Holding() []Hold {
	return slices.DeleteFunc(slices.Clone(q.Holds), func(h Hold) bool { return h.Lifted != nil })
}

// HoldsTable are failures as the head and the rows of a table.
func HoldsTable(holds []Hold) (head string, rows []string) {
	for _, h := range holds {
		whom := "alike sites"
		if h.Own {
			whom = "itself"
		}
		rows = append(rows, strings.Join([]string{h.Fingerprint, lifecycle.Few(h.sites()), lifecycle.Stamp(h.Of[len(h.Of)-1].Ended), whom,
			lifecycle.OneLine(h.Failure.String())}, "\t"))
	}
	return "FAILURE\tFAILED AT\tLAST\tHOLDS\tWHAT", rows
}

// FindHold is the failure of a fingerprint, or of its beginning where no other begins so.
func FindHold(holds []Hold, fingerprint string) (Hold, error) {
	var found []Hold
	for _, h := range holds {
		if h.Lifted == nil && fingerprint != "" && strings.HasPrefix(h.Fingerprint, fingerprint) {
			found = append(found, h)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	d := lifecycle.Errorf(fingerprint, "no failure that holds a site has this fingerprint")
	if len(found) > 1 {
		d.Summary = fmt.Sprintf("%d failures have fingerprints that begin so", len(found))
	}
	return Hold{}, d.Try("`kiban fleet holds` lists them; it knows what kiban fleet collect learnt last.")
}

// Summary says how many sites ended in which way, and how all stand.
func (r Result) Summary() string {
	n := map[lifecycle.OutcomeKind]int{}
	for _, o := range r.Outcomes {
		n[o.Kind]++
	}
	var parts []string
	for _, k := range []lifecycle.OutcomeKind{lifecycle.OutcomeDone, lifecycle.OutcomeUnchanged, lifecycle.OutcomeFailed,
		lifecycle.OutcomeBlocked,
		lifecycle.OutcomeStale, lifecycle.OutcomeInterrupted} {
		if n[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[k], k))
		}
	}
	text := "No site was applied"
	if len(parts) > 0 {
		text = lifecycle.Count(len(r.Outcomes), "site") + " applied: " + strings.Join(parts, ", ")
	}
	return text + ". Now: " + r.Queue.Summary() + "."
}

// Err says what keeps the fleet from being as declared: sites that failed, else those that did not go.
func (r Result) Err() error {
	var ds lifecycle.Diagnostics
	for _, o := range r.Outcomes {
		if o.Kind == lifecycle.OutcomeFailed || o.Kind == lifecycle.OutcomeStale {
			ds = append(ds, lifecycle.Errorf(o.Site, "%s", o.Message).Try("kiban runs "+o.Site))
		}
	}
	if len(ds) == 0 && len(r.Queue.Of(TurnDone)) < len(r.Queue.Places) {
		ds = append(ds, lifecycle.Blockedf("", "not all sites are as declared: %s", r.Queue.Summary()).Try("kiban fleet next says why"))
	}
	return ds.Err()
}
