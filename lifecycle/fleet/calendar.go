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

// Calendar reckons for the named sites, or all, by when the first merge request must be open. No machine is asked: what is declared counts
// as running. The findings are those that keep a site from being read, which is then not among them.
func (d Declared) Calendar(ctx context.Context, names []string, now time.Time) (calendar.Calendar, lifecycle.Diagnostics, error) {
	wanted := names
	if len(names) == 0 {
		wanted = d.names
	}
	sites, ds, err := d.withFroms(ctx, wanted)
	in := calendar.Input{Sites: sites, Support: lifecycle.KnownSupport(), Age: Ages(d.dir), Now: now}
	for _, s := range sites {
		in.Support = s.Fleet.KnownSupport() // the same for all
	}
	for _, name := range names {
		if !d.Has(name) {
			ds = append(ds, lifecycle.Errorf(name, "the fleet has no such site").Try("kiban sites"))
		}
	}
	return calendar.Make(in, names...), withoutRepeats(ds), err
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
// Of one that can't be read no more than the name counts. False: that is not known.
func (s Source) Due(ctx context.Context, fleet string, site lifecycle.Site) func(runs lifecycle.Version) (calendar.Entry, bool) {
	return func(runs lifecycle.Version) (calendar.Entry, bool) {
		all := []lifecycle.Site{site}
		if now, err := s.Now(fleet); err == nil && len(site.Promotion.From) > 0 {
			others, _, _ := now.withFroms(ctx, site.Promotion.From)
			all = append(all, slices.DeleteFunc(others, func(o lifecycle.Site) bool { return o.Name == site.Name })...)
		}
		return one(all, fleet, runs, time.Now())
	}
}

// DaysLeft says in few words how many days of slack a site has in leaving a minor, once those that it waits for have left it:
// "11 days of slack left"; "" where that is not known.
func DaysLeft(site lifecycle.Site, runs lifecycle.Version, now time.Time) string {
	site.Promotion = lifecycle.Promotion{}
	e, ok := one([]lifecycle.Site{site}, fleetOf(site), runs, now)
	switch {
	case !ok || e.OpenBy.IsZero():
		return ""
	case e.Slack < 0:
		return lifecycle.Count(-e.Slack, "day") + " late"
	}
	return lifecycle.Count(e.Slack, "day") + " of slack left"
}

// Slack is a paragraph on a site whose time to leave a minor runs short, by what runs there; "" where there is no hurry. What it waits for
// is known by name alone.
func Slack(site lifecycle.Site, runs lifecycle.Version, now time.Time) string {
	e, ok := one([]lifecycle.Site{site}, fleetOf(site), runs, now)
	if !ok || e.Line() == "" {
		return ""
	}
	return "\n" + e.Line() + "\n"
}

// fleetOf is the folder of a site's fleet.
func fleetOf(site lifecycle.Site) string { return filepath.Dir(filepath.Dir(site.Dir)) }

// one is the date of the first site, among those that it waits for.
func one(sites []lifecycle.Site, fleet string, runs lifecycle.Version, now time.Time) (calendar.Entry, bool) {
	site := sites[0]
	c := calendar.Make(calendar.Input{Sites: sites, Runs: map[string]lifecycle.Version{site.Name: runs},
		Support: site.Fleet.KnownSupport(), Age: Ages(fleet), Now: now}, site.Name)
	if len(c.Entries) == 0 {
		return calendar.Entry{}, false
	}
	return c.Entries[0], true
}

// WriteCalendar reckons for the named sites of a fleet as it is now, or all, and writes it in a form: text, json, ics or html.
func (s Source) WriteCalendar(ctx context.Context, w io.Writer, fleet string, names []string, form string) error {
	now, err := s.Now(fleet)
	if err != nil {
		return err
	}
	c, found, err := now.Calendar(ctx, names, time.Now())
	return errors.Join(err, write(w, c, form), found.Err())
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
