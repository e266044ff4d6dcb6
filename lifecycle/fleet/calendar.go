package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// Runs asks a site's cluster for the record of its runs. The findings say why it could not be asked.
type Runs func(ctx context.Context, site string) ([]lifecycle.RunRecord, lifecycle.Diagnostics, error)

// runsAtOnce is how many clusters are asked side by side.
const runsAtOnce = 16

// Calendar reckons for the named sites, or all, by when the first merge request must be open. No machine is asked: what is declared counts
// as running. With ask, clusters tell how long their upgrades took, those of the sites that are waited for, too. The findings are those
// that keep a site from being read, which is then not among them, and from being asked, for which the assumption stands.
func (d Declared) Calendar(ctx context.Context, names []string, ask Runs, now time.Time) (calendar.Calendar, lifecycle.Diagnostics, error) {
	wanted := names
	if len(names) == 0 {
		wanted = d.names
	}
	sites, ds, err := d.withFroms(ctx, wanted)
	in := calendar.Input{Sites: sites, Support: lifecycle.KnownSupport(), Age: Ages(d.dir), Now: now}
	for _, s := range sites {
		in.Support = s.Fleet.KnownSupport() // the same for all
	}
	if ask != nil && err == nil {
		var silent lifecycle.Diagnostics
		in.Took, silent, err = took(ctx, sites, ask)
		ds = append(ds, silent...)
	}
	for _, name := range names {
		if !d.Has(name) {
			ds = append(ds, lifecycle.Errorf(name, "the fleet has no such site").Try("kiban sites"))
		}
	}
	return calendar.Make(in, names...), withoutRepeats(ds), err
}

// took is how long an upgrade of each site took, where its cluster tells.
func took(ctx context.Context, sites []lifecycle.Site, ask Runs) (map[string]time.Duration, lifecycle.Diagnostics, error) {
	times, found, failed := make([]time.Duration, len(sites)), make([]lifecycle.Diagnostics, len(sites)), make([]error, len(sites))
	err := AtOnce(ctx, len(sites), runsAtOnce, func(i int) {
		s := sites[i]
		if s.Provider == lifecycle.ProviderExternal {
			return
		}
		var runs []lifecycle.RunRecord
		runs, found[i], failed[i] = ask(ctx, s.Name)
		times[i] = calendar.Took(runs, len(s.Cluster.Hosts))
	})
	out := map[string]time.Duration{}
	for i, s := range sites {
		out[s.Name] = times[i]
		for j := range found[i] {
			found[i][j].Summary = "its cluster could not be asked how long upgrades took, so that is assumed"
		}
	}
	return out, slices.Concat(found...), errors.Join(append(failed, err)...)
}

// withFroms reads sites and those that they wait for, those that these wait for, and so on; each once. The findings are those that keep one
// from being read, which is then left out.
func (d Declared) withFroms(ctx context.Context, names []string) (out []lifecycle.Site, ds lifecycle.Diagnostics, err error) {
	seen := map[string]bool{}
	for len(names) > 0 && err == nil {
		var now []string
		for _, name := range names {
			if !seen[name] && d.Has(name) {
				seen[name], now = true, append(now, name)
			}
		}
		read, found := make([]lifecycle.Site, len(now)), make([]lifecycle.Diagnostics, len(now))
		err = AtOnce(ctx, len(now), runtime.GOMAXPROCS(0), func(i int) {
			one, ds := d.Read(ctx, now[i])
			if found[i] = firstFinding(now[i], Errors(ds)); len(found[i]) == 0 {
				read[i] = one.Site
			}
		})
		names = nil
		for i, s := range read {
			if ds = append(ds, found[i]...); s.Name != "" {
				out, names = append(out, s), append(names, s.Promotion.From...)
			}
		}
	}
	return out, ds, err
}

// Due reckons by when a site of a fleet must begin to leave a version that it runs, with those that it waits for as they are declared now.
// Of one that can't be read no more than the name counts. record tells of the site's runs, as for Slack; nil: nobody does. False: that is
// not known.
func (s Source) Due(
	ctx context.Context, fleet string, site lifecycle.Site, record func() []lifecycle.RunRecord,
) func(runs lifecycle.Version) (calendar.Entry, bool) {
	return func(runs lifecycle.Version) (calendar.Entry, bool) {
		all := []lifecycle.Site{site}
		if len(site.Promotion.From) > 0 {
			if now, err := s.Now(fleet); err == nil {
				others, _, _ := now.withFroms(ctx, site.Promotion.From)
				all = append(all, slices.DeleteFunc(others, func(o lifecycle.Site) bool { return o.Name == site.Name })...)
			}
		}
		return byRecord(all, fleet, runs, record, time.Now())
	}
}

// DaysLeft says in few words how many days of slack a site has in leaving a minor, once those that it waits for have left it:
// "11 days of slack left"; "" where that is not known. took is how long an upgrade by one minor takes; 0: that is not known.
func DaysLeft(site lifecycle.Site, runs lifecycle.Version, took time.Duration, now time.Time) string {
	site.Promotion = lifecycle.Promotion{}
	e, ok := one([]lifecycle.Site{site}, fleetOf(site), runs, took, now)
	switch {
	case !ok || e.OpenBy.IsZero():
		return ""
	case e.Slack < 0:
		return lifecycle.Count(-e.Slack, "day") + " late"
	}
	return lifecycle.Count(e.Slack, "day") + " of slack left"
}

// Slack is a paragraph on a site whose time to leave a minor runs short, by what runs there; "" where there is no hurry. What it waits for
// is known by name alone. record is asked how long upgrades took only where that may matter: upgrades that last a month are none.
func Slack(ctx context.Context, site lifecycle.Site, runs lifecycle.Version, record func(context.Context) []lifecycle.RunRecord) string {
	return slackAt(site, runs, func() []lifecycle.RunRecord { return record(ctx) }, time.Now())
}

func slackAt(site lifecycle.Site, runs lifecycle.Version, record func() []lifecycle.RunRecord, now time.Time) string {
	e, ok := byRecord([]lifecycle.Site{site}, fleetOf(site), runs, record, now)
	if !ok || e.OpenBy.IsZero() || e.Line() == "" {
		return ""
	}
	return "\n" + e.Line() + "\n"
}

// byRecord is one, with how long upgrades of the site took by its record, where that may matter.
func byRecord(
	sites []lifecycle.Site, fleet string, runs lifecycle.Version, record func() []lifecycle.RunRecord, now time.Time,
) (calendar.Entry, bool) {
	e, ok := one(sites, fleet, runs, 0, now)
	if !ok || e.OpenBy.IsZero() || e.Slack > 2*calendar.Soon || record == nil {
		return e, ok
	}
	if took := calendar.Took(record(), len(sites[0].Cluster.Hosts)); took > 0 {
		return one(sites, fleet, runs, took, now)
	}
	return e, ok
}

// fleetOf is the folder of a site's fleet.
func fleetOf(site lifecycle.Site) string { return filepath.Dir(filepath.Dir(site.Dir)) }

// one is the date of the first site, among those that it waits for.
func one(sites []lifecycle.Site, fleet string, runs lifecycle.Version, took time.Duration, now time.Time) (calendar.Entry, bool) {
	site := sites[0]
	c := calendar.Make(calendar.Input{Sites: sites, Runs: map[string]lifecycle.Version{site.Name: runs},
		Took: map[string]time.Duration{site.Name: took}, Support: site.Fleet.KnownSupport(), Age: Ages(fleet), Now: now}, site.Name)
	if len(c.Entries) == 0 {
		return calendar.Entry{}, false
	}
	return c.Entries[0], true
}

// WriteCalendar reckons for the named sites of a fleet as it is now, or all, and writes it in a form: text, json, ics or html. ask may be
// nil. The warnings name clusters that could not be asked.
func (s Source) WriteCalendar(
	ctx context.Context, w io.Writer, fleet string, names []string, ask Runs, form string,
) (lifecycle.Diagnostics, error) {
	now, err := s.Now(fleet)
	if err != nil {
		return nil, err
	}
	c, found, err := now.Calendar(ctx, names, ask, time.Now())
	errs := Errors(found)
	warnings := slices.DeleteFunc(found, func(d lifecycle.Diagnostic) bool { return d.Severity == lifecycle.SeverityError })
	return warnings, errors.Join(err, write(w, c, form), errs.Err())
}

func write(w io.Writer, c calendar.Calendar, form string) error {
	switch form {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(c)
	case "ics":
		return c.ICS(w)
	case "html":
		return c.HTML(w)
	}
	return c.Text(w)
}
