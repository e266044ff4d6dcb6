package page

import (
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// Proof of backups: what a site without a rule of its own is held to.
const provenWithin = 90 * 24 * time.Hour

// proven is when a backup was last restored in a lab, and how old the newest one is.
func (s site) proven() Cell {
	return look(s, s.Backups).cell(func(b fleet.Backups) Cell {
		age, known := b.Proven.Age(s.now)
		switch {
		case !known && s.external() && b.Count == 0:
			return Cell{Text: "run by others"}
		case !known:
			return Cell{Text: "never", Key: numberKey(1 << 28), Mark: MarkBad}
		}
		c := Cell{Text: lifecycle.Span(age.Truncate(time.Hour)) + " ago", Key: numberKey(int(age / time.Minute)), Mark: MarkGood}
		if s.unproven(b) != "" {
			c.Mark = MarkOdd
		}
		return c
	})
}

// unproven says why no backup of the site is proven, or not lately; "" where one is.
func (s site) unproven(b fleet.Backups) string {
	within, whose := s.Declared.Value.Proven, "the site asks for one within "
	if within == 0 {
		within, whose = provenWithin, "held to "
	}
	age, known := b.Proven.Age(s.now)
	switch {
	case known && age <= within, !known && s.external() && b.Count == 0:
		return ""
	case known:
		return fmt.Sprintf("the last proof is %s old; %s%s", lifecycle.Span(age), whose, lifecycle.Span(within))
	case b.Count == 0 && len(b.Unasked) > 0:
		return "no backup is known, and " + lifecycle.Enumerate(b.Unasked) + " could not be asked"
	case b.Count == 0:
		return "no backup is known"
	}
	return "no backup is known to have been restored in a lab"
}

// newestBackup is when the newest backup was taken.
func (s site) newestBackup() Cell {
	return look(s, s.Backups).cell(func(b fleet.Backups) Cell {
		switch {
		case len(b.Newest) == 0 && len(b.Unasked) > 0:
			return Cell{Text: "not known: places were not asked", Mark: MarkUnknown}
		case len(b.Newest) == 0:
			return Cell{Text: "none", Mark: MarkBad}
		}
		taken, err := time.Parse(time.RFC3339, b.Newest[0].Taken)
		if err != nil {
			return Cell{Text: "it does not say when", Mark: MarkUnknown}
		}
		return Cell{Text: lifecycle.Stamp(taken), Key: taken.UTC().Format(time.RFC3339)}
	})
}

// ending is the certificate that ends first of those that somebody has to see to, and how urgent it is; false where there is none.
func ending(all []fleet.HostCertificate) (first fleet.HostCertificate, ok bool) {
	for _, c := range all {
		if !ok || c.NotAfter.Before(first.NotAfter) {
			first, ok = c, true
		}
	}
	return first, ok
}

// certificates is when the first one ends.
func (s site) certificates() Cell {
	return look(s, s.Certificates).cell(func(all []fleet.HostCertificate) Cell {
		first, ok := ending(all)
		if !ok {
			return Cell{Text: "none known"}
		}
		c := Cell{Text: day(first.NotAfter), Key: day(first.NotAfter), Mark: certificateMark(all, s.now)}
		if c.Mark != MarkGood {
			c.Text += left(first.NotAfter, s.now)
		}
		return c
	})
}

func left(end, now time.Time) string {
	switch n := daysUntil(end, now); {
	case !end.After(now):
		return ", ended"
	case n == 0:
		return ", today"
	default:
		return ", in " + lifecycle.Count(n, "day")
	}
}

func certificateMark(all []fleet.HostCertificate, now time.Time) Mark {
	worst := lifecycle.NotDue
	for _, c := range all {
		worst = max(worst, c.Urgency(now))
	}
	switch {
	case worst >= lifecycle.DueNow:
		return MarkBad
	case worst > lifecycle.NotDue:
		return MarkOdd
	}
	return MarkGood
}

// certificateRows are a site's certificates, the first to end first.
func (s site) certificateRows(all []fleet.HostCertificate) (rows [][]Cell) {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b fleet.HostCertificate) int { return a.NotAfter.Compare(b.NotAfter) })
	for _, c := range sorted {
		rows = append(rows, []Cell{{Text: c.Host}, {Text: c.Name},
			{Text: day(c.NotAfter) + left(c.NotAfter, s.now), Key: day(c.NotAfter), Mark: certificateMark([]fleet.HostCertificate{c}, s.now)},
			{Text: renewal(c.Renewed)}})
	}
	return rows
}

func renewal(r lifecycle.Renewal) string {
	switch r {
	case lifecycle.RenewedByStart:
		return "when k0s starts: kiban renew"
	case lifecycle.RenewedByKubelet:
		return "by the kubelet, while it runs"
	case lifecycle.RenewedByHand:
		return "by hand: kiban explain certificate"
	}
	return "not known"
}
