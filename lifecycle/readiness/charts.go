package readiness

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"kiban.dev/kiban/lifecycle"
)

// What the makers of addons publish of the Kubernetes versions that they test, where their charts do not say it.
//
//go:embed data/tested.json
var testedText []byte

// tested is one addon's row of that data.
type tested struct {
	Chart, Says, Read, Source string
	Versions                  []struct{ App, From, To string }
}

func readTested() []tested {
	var file struct{ Addons []tested }
	_ = json.Unmarshal(testedText, &file) // a test reads it, too
	return file.Addons
}

// charts looks at addons: the versions that their charts are made for, and those of their own kinds.
func charts(in Input, r *report) {
	ranges(in, r)
	definitions(in, r)
}

// ranges holds the charts of addons against every version on the way: what the declared and the installed chart say that they are made for,
// and what their makers publish. kiban applies addons before it upgrades k0s, at the version that runs; where that order does not hold, it
// looks for one that does.
func ranges(in Input, r *report) {
	way := onTheWay(in, r.From)
	if len(way) == 0 {
		return
	}
	looked, published := 0, readTested()
	for _, u := range in.State.Units {
		name, isAddon := strings.CutPrefix(u.Name, lifecycle.UnitAddon)
		if !isAddon || !u.Declared || u.Chart == "" {
			continue // what has left the repository goes before Kubernetes changes
		}
		looked++
		c := addonCharts{unit: u, name: name, way: way, source: whereAddon(in.Site, name, "spec.chart.version")}
		if u.Unknown != "" || u.KubeVersion == "" && u.Diagnostics.Err() != nil {
			what, look := fmt.Sprintf("whether addon %s is made for %s", name, in.Target.MinorString()), "kiban addons "+in.Site.Name
			if u.Unknown != "" {
				r.unasked(what, firstLine(u.Unknown), look)
			} else {
				r.unseen(what, firstLine(u.Diagnostics.Err().Error()), look)
			}
			continue
		}
		f, found := c.order()
		if !found {
			f, found = c.published(published)
		}
		if found {
			r.find(f)
		}
	}
	if looked > 0 {
		r.looked(lifecycle.Count(looked, "chart"))
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return lifecycle.Shorten(line, 300)
}

// onTheWay are the versions that the site has from now to the target: what runs, one for each minor between, and the target. For a minor
// that the site names no version of, the newest that kiban's data was read from stands.
func onTheWay(in Input, from lifecycle.Version) []lifecycle.Version {
	to := in.Target
	if from.IsZero() || !from.Less(to) || from.Major != to.Major {
		return []lifecycle.Version{to}
	}
	out := []lifecycle.Version{from}
	k := readKnown()
	for m := from.Minor + 1; m < to.Minor; m++ {
		v := lifecycle.Version{Major: to.Major, Minor: m}
		if known, err := lifecycle.ParseVersion(k.release(m) + "+k0s.0"); err == nil {
			v = known
		}
		for _, p := range in.Site.Policy.Path {
			if p.Major == to.Major && p.Minor == m {
				v = p
			}
		}
		out = append(out, v)
	}
	return append(out, to)
}

// addonCharts are the chart that an addon has and the one that is declared for it, on the way.
type addonCharts struct {
	unit lifecycle.UnitState
	name string
	way  []lifecycle.Version
	// source is the line that declares the chart's version.
	source string
}

// whereAddon is the line of a field of an addon's document; "" where that is not known.
func whereAddon(site lifecycle.Site, name, field string) string {
	for _, a := range site.Addons {
		if a.Name == name {
			return a.Where(field)
		}
	}
	return ""
}

// bracketed is a line in brackets, to stand behind what is declared there.
func bracketed(source string) string {
	if source == "" {
		return ""
	}
	return " (" + source + ")"
}

// fits reports whether a range holds a Kubernetes version, as Helm reads both; what is no range holds all, for Helm says so itself.
func fits(kubeVersion string, v lifecycle.Version) bool {
	if kubeVersion == "" {
		return true
	}
	c, err := semver.NewConstraint(kubeVersion)
	if err != nil {
		return true
	}
	is, err := semver.NewVersion(v.Kubernetes())
	return err != nil || c.Check(is)
}

// order says when an addon and Kubernetes have to change places, or that there is no order in which both fit all the way. A plan applies
// the addon first, so the declared chart has to fit everywhere.
func (c addonCharts) order() (lifecycle.ReadinessFinding, bool) {
	u := c.unit
	old := func(v lifecycle.Version) bool { return fits(u.Release.KubeVersion, v) }
	next := func(v lifecycle.Version) bool { return fits(u.KubeVersion, v) }
	at := slices.IndexFunc(c.way, func(v lifecycle.Version) bool { return !next(v) })
	if at < 0 {
		return lifecycle.ReadinessFinding{}, false
	}
	first, last := c.way[0], c.way[len(c.way)-1]
	f := c.finding(lifecycle.RankBlocks)
	f.Seen, f.Breaks = c.ranges(), c.way[at].MinorString()
	f.Summary = fmt.Sprintf("%s %s is not made for Kubernetes %s", u.Chart, u.Version, c.way[at].Kubernetes())
	f.Remedy = "Declare a version of the chart that is made for all of " + span(first, last) + ", and merge that first."
	switch {
	case u.Release.Chart == u.Chart && u.Release.Version == u.Version:
		if f.Summary += ", and can't be changed there"; next(last) { // it goes on running, and nothing is done to it in between
			f.Rank = lifecycle.RankAttention
		}
	case u.Release.Chart == "":
		if next(last) {
			f.Remedy = "Upgrade Kubernetes first, and declare the addon in a merge request after that."
		}
	default:
		turn, found := c.turn(old, next)
		if !found {
			f.Summary = fmt.Sprintf("no order of the addon and Kubernetes works from %s to %s", first.MinorString(), last.MinorString())
			f.Remedy = fmt.Sprintf("Find versions of the chart between %s and %s whose ranges meet, and go by them in turns with Kubernetes.",
				u.Release.Version, u.Version)
			break
		}
		f.Remedy = fmt.Sprintf("Kubernetes first, to %s, with %s %s; then %s %s", turn.MinorString(), u.Release.Chart, u.Release.Version,
			u.Chart, u.Version)
		if turn != last {
			f.Remedy += "; then Kubernetes to " + last.MinorString()
		}
		f.Remedy += ". Each is a merge request of its own."
	}
	return f, true
}

// turn is the version at which the addon can change: the chart that is there is made for all up to it, the next one for all from it on.
func (c addonCharts) turn(old, next func(lifecycle.Version) bool) (lifecycle.Version, bool) {
	for i, v := range c.way {
		unfit := func(fit func(lifecycle.Version) bool, part []lifecycle.Version) bool {
			return slices.ContainsFunc(part, func(v lifecycle.Version) bool { return !fit(v) })
		}
		if !unfit(old, c.way[:i+1]) && !unfit(next, c.way[i:]) {
			return v, true
		}
	}
	return lifecycle.Version{}, false
}

func (c addonCharts) finding(rank lifecycle.Rank) lifecycle.ReadinessFinding {
	return lifecycle.ReadinessFinding{Rule: "chart", Rank: rank, Subject: "addon " + c.name, Owner: "addon " + c.name,
		Source: c.source}
}

// span says from which minor to which.
func span(first, last lifecycle.Version) string {
	if first.MinorString() == last.MinorString() {
		return last.MinorString()
	}
	return first.MinorString() + " to " + last.MinorString()
}

// ranges are what both charts say of themselves.
func (c addonCharts) ranges() []string {
	var out []string
	say := func(what, chart, version, kubeVersion, source string) {
		if kubeVersion == "" {
			kubeVersion = "any"
		}
		out = append(out, fmt.Sprintf("%s: %s %s, made for Kubernetes %s%s", what, chart, version, kubeVersion, bracketed(source)))
	}
	if c.unit.Release.Chart != "" {
		say("installed", c.unit.Release.Chart, c.unit.Release.Version, c.unit.Release.KubeVersion, "")
	}
	say("declared", c.unit.Chart, c.unit.Version, c.unit.KubeVersion, c.source)
	return out
}

// published holds the declared addon at the target against what its makers publish, where the chart itself says nothing against it.
func (c addonCharts) published(rows []tested) (lifecycle.ReadinessFinding, bool) {
	app, err := semver.NewVersion(c.unit.AppVersion)
	if err != nil {
		return lifecycle.ReadinessFinding{}, false
	}
	minor, last := fmt.Sprintf("%d.%d", app.Major(), app.Minor()), c.way[len(c.way)-1]
	for _, row := range rows {
		if row.Chart != c.unit.Chart {
			continue
		}
		for _, is := range row.Versions {
			if is.App != minor || minorNumber(is.From) <= last.Minor && last.Minor <= minorNumber(is.To) {
				continue
			}
			f := c.finding(lifecycle.RankAttention)
			f.Summary = fmt.Sprintf("%s %s is %s Kubernetes %s to %s; %s is not among them", row.Chart, minor, row.Says, is.From, is.To,
				last.MinorString())
			f.Seen, f.Breaks = []string{"read " + row.Read + " from " + row.Source}, last.MinorString()
			f.Remedy = "Declare a version whose makers say so, or try this one before, at a site that matters less."
			return f, true
		}
	}
	return lifecycle.ReadinessFinding{}, false
}
