package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// Calendar reckons for the named sites, or all, by when the first merge request must be open. No machine is asked: what is declared counts
// as running. The findings are those that keep a site from being read, which is then not among them.
func (d Declared) Calendar(ctx context.Context, names []string, now time.Time) (calendar.Calendar, lifecycle.Diagnostics, error) {
	all, found := make([]lifecycle.Site, len(d.names)), make([]lifecycle.Diagnostics, len(d.names))
	err := AtOnce(ctx, len(d.names), runtime.GOMAXPROCS(0), func(i int) {
		read, ds := d.Read(ctx, d.names[i])
		if found[i] = firstFinding(d.names[i], Errors(ds)); len(found[i]) == 0 {
			all[i] = read.Site
		}
	})
	in := calendar.Input{Support: lifecycle.KnownSupport(), Age: Ages(d.dir), Now: now}
	var ds lifecycle.Diagnostics
	for i, s := range all {
		if ds = append(ds, found[i]...); s.Name != "" {
			in.Sites, in.Support = append(in.Sites, s), s.Fleet.KnownSupport()
		}
	}
	for _, name := range names {
		if !d.Has(name) {
			ds = append(ds, lifecycle.Errorf(name, "the fleet has no such site").Try("kiban sites"))
		}
	}
	return calendar.Make(in, names...), withoutRepeats(ds), err
}

// DaysLeft says in few words how many days of slack a site has in leaving a minor, once those that it waits for have left it:
// "11 days of slack left"; "" where that is not known.
func DaysLeft(site lifecycle.Site, runs lifecycle.Version, now time.Time) string {
	site.Promotion = lifecycle.Promotion{}
	e, ok := one(site, runs, now)
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
	e, ok := one(site, runs, now)
	if !ok || e.Line() == "" {
		return ""
	}
	return "\n" + e.Line() + "\n"
}

func one(site lifecycle.Site, runs lifecycle.Version, now time.Time) (calendar.Entry, bool) {
	c := calendar.Make(calendar.Input{Sites: []lifecycle.Site{site}, Runs: map[string]lifecycle.Version{site.Name: runs},
		Support: site.Fleet.KnownSupport(), Age: Ages(filepath.Dir(filepath.Dir(site.Dir))), Now: now})
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
