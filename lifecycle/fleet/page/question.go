package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/fleet"
)

// holds is whether something is so at a site.
type holds int

const (
	no      holds = iota
	was           // it was so when the site was last known
	is            // it is so
	unclear       // nobody knows
)

// question is something that people ask of a fleet: which sites it is true of. Each has a page.
type question struct {
	file, title, label string
	lead               []string
	mark               Mark
	of                 func(site) holds
	head               []string
	row                func(site) []Cell
	// less orders the rows; nil: by name.
	less func(a, b site) int
	// besides is what else the page has; nil: nothing.
	besides func(all []site) Section
}

// held is whether a condition holds of a part of a site.
func held[T any](s site, p fleet.Part[T], condition func(T) bool) holds {
	switch v := look(s, p); {
	case !v.Ever:
		return unclear
	case !condition(v.Value):
		if v.Now {
			return no
		}
		return unclear
	case v.Now:
		return is
	}
	return was
}

// questions are those that have a page, in the order in which people want to hear of them.
func questions() []question {
	return []question{unanswered(), unsupported(), unwell(), failing(), drifting(), unprovenBackups(), endingCertificates(), changed()}
}

func unanswered() question {
	q := question{file: "not-known.html", title: "Which sites are not known, and since when?", label: "not known", mark: MarkBad,
		lead: []string{"Sites that did not answer when they were asked last, that were never asked, or that were asked longer than " +
			lifecycle.Span(Schedule) + " ago. What other pages show of them is as of then, and says so."},
		of: func(s site) holds {
			if s.Asked.IsZero() || s.Failed != "" || s.stale() {
				return is
			}
			return no
		},
		head: []string{"Site", "Last known", "Asked last", "Why", "Wave and labels"},
		row: func(s site) []Cell {
			since := Cell{Text: "never", Mark: MarkUnknown}
			if at := s.lastKnown(); !at.IsZero() {
				since = Cell{Text: lifecycle.Stamp(at), Key: at.UTC().Format(time.RFC3339), Mark: MarkOld}
			}
			asked, why := Cell{Text: "never"}, cmp.Or(s.Failed, "it was not asked since")
			if !s.Asked.IsZero() {
				asked = Cell{Text: lifecycle.Stamp(s.Asked), Key: s.Asked.UTC().Format(time.RFC3339)}
			}
			return []Cell{s.name(), since, asked, {Text: why}, s.labels()}
		},
		less: func(a, b site) int { return a.lastKnown().Compare(b.lastKnown()) },
	}
	q.besides = unread
	return q
}

// unread are the sites of which it is not known what they are to be.
func unread(all []site) Section {
	t := &Table{Head: []string{"Site", "Why", "What to do"}, Empty: "None: all overlays that there are can be read, or none was."}
	for _, s := range all {
		if s.place.Unread {
			t.Rows = append(t.Rows, []Cell{s.name(), {Text: s.place.Why, Mark: MarkUnknown}, {Text: s.place.Hint}})
		}
	}
	t.Caption = lifecycle.Count(len(t.Rows), "site")
	return Section{ID: "unread", Title: "Overlays that can't be read: what the site is to be is not known", Table: t}
}

// lastKnown is when anything was learnt of what runs at a site; zero: never.
func (s site) lastKnown() (at time.Time) {
	for _, t := range []time.Time{s.Standing.At, s.Machines.At, s.Drift.At, s.Runs.At, s.Soak.At, s.Addons.At} {
		if t.After(at) {
			at = t
		}
	}
	return at
}

func unsupported() question {
	return question{file: "out-of-support.html", title: "Which sites run a version out of support?", label: "out of support", mark: MarkBad,
		lead: []string{"Sites whose Kubernetes minor release gets no fixes any more. " +
			"When others must begin to leave theirs, the calendar says."},
		of: func(s site) holds {
			if s.external() {
				return no
			}
			return held(s, s.Support, func(e calendar.Entry) bool { return outOfSupport(e, s.now) })
		},
		head: []string{"Site", "Runs", "Support", "Goes to", "Next version", "Wave and labels"},
		row: func(s site) []Cell {
			return []Cell{s.name(), s.versions(), s.support(), {Text: s.Support.Value.Target}, s.next(), s.labels()}
		},
		less: func(a, b site) int { return a.Support.Value.Ends.Compare(b.Support.Value.Ends) },
	}
}

func unwell() question {
	return question{file: "problems.html", title: "Which sites are not well?", label: "with problems", mark: MarkBad,
		lead: []string{"Sites where machines, nodes, the API or anything else that kiban status looks at is not as it is to be."},
		of: func(s site) holds {
			return held(s, s.Standing, func(st fleet.Standing) bool {
				return len(st.Problems) > 0 || st.Failed != "" || st.API != "" && !st.NotYet
			})
		},
		head: []string{"Site", "Machines", "Nodes ready", "What is wrong", "Wave and labels"},
		row: func(s site) []Cell {
			st := s.Standing.Value
			return []Cell{s.name(), ofAll(st.Reached, st.Machines), ofAll(st.Ready, st.Nodes), s.stands(), s.labels()}
		},
	}
}

func ofAll(n, all int) Cell {
	if all == 0 {
		return Cell{Text: "none known", Key: numberKey(0)}
	}
	return Cell{Text: fmt.Sprintf("%d of %d", n, all), Key: numberKey(n)}
}

func failing() question {
	return question{file: "failed.html", title: "What failed, and where?", label: "last run failed", mark: MarkBad,
		lead: []string{"Sites whose last run that carried out what is declared has failed, the last first."},
		of: func(s site) holds {
			return held(s, s.Runs, func(runs []lifecycle.RunRecord) bool {
				r, ok := lastApplied(runs)
				return ok && r.Result == lifecycle.RunFailed
			})
		},
		head: []string{"Site", "Failed at", "What failed", "Run", "Steps", "Versions", "By", "Stands"},
		row: func(s site) []Cell {
			r, _ := lastApplied(s.Runs.Value)
			return []Cell{s.name(), {Text: lifecycle.Stamp(r.Ended), Key: r.Ended.UTC().Format(time.RFC3339), Mark: s.markOfRuns(MarkBad)},
				{Text: whyFailed(r)}, runCell(r),
				{Text: fmt.Sprintf("%d of %d done, %d failed", r.Done, r.Steps, r.Failed), Key: numberKey(r.Failed)}, versionsOf(r), byOf(r),
				s.stands()}
		},
		less: func(a, b site) int {
			x, _ := lastApplied(a.Runs.Value)
			y, _ := lastApplied(b.Runs.Value)
			return y.Ended.Compare(x.Ended)
		},
	}
}

// markOfRuns is a mark of what the site's record says, or that it is of another time.
func (s site) markOfRuns(m Mark) Mark {
	if look(s, s.Runs).Now {
		return m
	}
	return MarkOld
}

func drifting() question {
	return question{file: "drift.html", title: "Which sites have drift?", label: "with drift", mark: MarkOdd,
		lead: []string{"Sites that are not as the repository declares: what kiban plan would do there. First those that take no other " +
			"version and differ all the same, then those where a version that was merged is still to come; the most steps first."},
		of:   func(s site) holds { return held(s, s.Drift, func(d fleet.Drift) bool { return !d.Settled() }) },
		head: []string{"Site", "Plan", "Brings", "Disrupts", "First step, or what is in the way", "Wave and labels"},
		row: func(s site) []Cell {
			d := s.Drift.Value
			first := Cell{Text: cmp.Or(d.Unfinished, d.Waits)}
			if len(d.First) > 0 {
				first.Text = d.First[0]
			}
			if len(d.Stops) > 0 {
				first = Cell{Text: d.Stops[0].Summary, Mark: MarkBad}
			}
			return []Cell{s.name(), s.drift(), brought(d), {Text: fmt.Sprint(d.Disrupts), Key: numberKey(d.Disrupts)}, first, s.labels()}
		},
		less: func(a, b site) int {
			x, y := a.Drift.Value, b.Drift.Value
			return cmp.Or(cmp.Compare(min(len(x.Brings), 1), min(len(y.Brings), 1)), cmp.Compare(y.Steps, x.Steps))
		},
	}
}

// brought are the versions that a plan brings: with none, what is there is not what is declared.
func brought(d fleet.Drift) Cell {
	var parts []string
	for _, v := range d.Brings {
		parts = append(parts, strings.Replace(v.Name, "/", " ", 1)+" "+v.Version)
	}
	if len(parts) == 0 {
		return Cell{Text: "no version: it differs", Mark: MarkOdd}
	}
	return Cell{Text: lifecycle.Few(parts)}
}

func unprovenBackups() question {
	return question{file: "backups.html", title: "Which backups are unproven?", label: "backups unproven", mark: MarkOdd,
		lead: []string{"Sites of which no backup was restored in a lab within the time that the site asks for, or " +
			lifecycle.Span(provenWithin) +
			" where it asks for none. kiban drill SITE proves one."},
		of: func(s site) holds {
			return held(s, s.Backups, func(b fleet.Backups) bool { return s.unproven(b) != "" })
		},
		head: []string{"Site", "Last proven restore", "Newest backup", "Why it counts as unproven", "Wave and labels"},
		row: func(s site) []Cell {
			return []Cell{s.name(), s.proven(), s.newestBackup(), {Text: s.unproven(s.Backups.Value)}, s.labels()}
		},
	}
}

func endingCertificates() question {
	q := question{file: "certificates.html", title: "Whose certificates end first?", label: "certificates to renew", mark: MarkOdd,
		lead: []string{"Sites with a certificate that somebody has to see to before long, the first to end first. " +
			"The table of all sites can be sorted by certificates, too."},
		of: func(s site) holds {
			return held(s, s.Certificates, func(all []fleet.HostCertificate) bool {
				m := certificateMark(all, s.now)
				return m == MarkBad || m == MarkOdd
			})
		},
		head: []string{"Site", "First to end", "Certificate", "Machine", "Renewed", "Wave and labels"},
		row: func(s site) []Cell {
			first, _ := ending(s.Certificates.Value)
			return []Cell{s.name(), s.certificates(), {Text: first.Name}, {Text: first.Host}, {Text: renewal(first.Renewed)}, s.labels()}
		},
		less: func(a, b site) int {
			x, _ := ending(a.Certificates.Value)
			y, _ := ending(b.Certificates.Value)
			return x.NotAfter.Compare(y.NotAfter)
		},
	}
	q.besides = func(all []site) Section { return soonest(q, all) }
	return q
}

// answer is a question with its sites.
type answer struct {
	question
	all, sites   []site
	now, past    int
	undetermined int
}

func (q question) answer(sites []site) answer {
	a := answer{question: q, all: sites}
	for _, s := range sites {
		switch q.of(s) {
		case is:
			a.now++
			a.sites = append(a.sites, s)
		case was:
			a.past++
			a.sites = append(a.sites, s)
		case unclear:
			a.undetermined++
		}
	}
	if q.less != nil {
		slices.SortStableFunc(a.sites, q.less)
	}
	return a
}

// beside says what the number leaves out.
func (a answer) beside() string {
	var parts []string
	if a.past > 0 {
		parts = append(parts, fmt.Sprintf("%d more when last known", a.past))
	}
	if a.undetermined > 0 {
		parts = append(parts, fmt.Sprintf("not known of %d", a.undetermined))
	}
	return lifecycle.Enumerate(parts)
}

func (a answer) figure() Figure {
	f := Figure{Number: fmt.Sprint(a.now), Label: a.label, Beside: a.beside(), Link: a.file, Mark: a.mark}
	if a.now == 0 {
		f.Mark = MarkNone
	}
	return f
}

func (a answer) doc() Doc {
	d := Doc{File: a.file, Title: a.title, Lead: slices.Clone(a.lead)}
	if beside := a.beside(); beside != "" {
		d.Lead = append(d.Lead, fmt.Sprintf("%s now; %s.", lifecycle.Count(a.now, "site"), beside))
	}
	t := &Table{Caption: lifecycle.Count(len(a.sites), "site"), Head: a.head, Empty: "None."}
	if a.undetermined > 0 {
		t.Empty = fmt.Sprintf("None that is known; of %s it is not known.", lifecycle.Count(a.undetermined, "site"))
	}
	for _, s := range a.sites {
		t.Rows = append(t.Rows, a.row(s))
	}
	d.Sections = []Section{{ID: "sites", Title: "Sites", Table: t}}
	if a.besides != nil {
		d.Sections = append(d.Sections, a.besides(a.all))
	}
	return d
}

// soonest are the sites whose certificates end next, of those where nobody has to see to one yet.
func soonest(q question, sites []site) Section {
	const most = 25
	var rest []site
	for _, s := range sites {
		if _, ok := ending(s.Certificates.Value); ok && q.of(s) != is && q.of(s) != was {
			rest = append(rest, s)
		}
	}
	slices.SortStableFunc(rest, q.less)
	t := &Table{Caption: fmt.Sprintf("The first %d of %s", min(most, len(rest)), lifecycle.Count(len(rest), "site")), Head: q.head,
		Empty: "No other certificate is known."}
	for _, s := range rest[:min(most, len(rest))] {
		t.Rows = append(t.Rows, q.row(s))
	}
	return Section{ID: "next", Title: "The next to end, in good time", Table: t}
}
