package forge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

const (
	// NoteMarker begins kiban's note on a merge request. It is not shown; the note is found by it.
	NoteMarker = "<!-- kiban:plan -->"
	// NoteLimit is how many characters GitLab takes as a note. Bytes are counted, which are never fewer.
	NoteLimit = 1_000_000
)

// NoteOptions say where a note's reader finds more.
type NoteOptions struct {
	// Pipeline is the address of the pipeline that keeps the plans as artifacts; "" when there is none.
	Pipeline string
	// Limit is how many bytes the note may have. 0 is NoteLimit.
	Limit int
	// Now is when it is written: whether windows are open and minors supported is told as of then. Zero: not told.
	Now time.Time
	// Fleet are the changes of what the fleet's root allows all sites.
	Fleet []lifecycle.DeclaredChange
	// Unguarded says why nobody has compared what guards the sites with the target branch; "" when that was done, or nobody asked.
	Unguarded string
	// Support says how long a version's minor is supported. Nil: not told.
	Support func(lifecycle.Version) lifecycle.Support
	// Left says how many days of slack a site has in leaving a version, when a minor takes so long; 0: not known. "11 days of slack left".
	// Nil: not told.
	Left func(site lifecycle.Site, leaves lifecycle.Version, took time.Duration, now time.Time) string
}

// Note tells a reviewer what merging does: a line a site, what is blocked first, then what needs attention; then of each site that changes
// the verdict and the reasons, the versions and how long they are supported, the order of its machines and what is disturbed when, and its
// addons, with every step to unfold. When all that is more than GitLab takes, the longest sites lose their steps first, and say where they
// are to be found.
func Note(sites []SitePlan, opts NoteOptions) string {
	limit := cmp.Or(opts.Limit, NoteLimit)
	all := make([]section, len(sites))
	for i, s := range sites {
		all[i] = newSection(s, opts)
	}
	slices.SortStableFunc(all, func(a, b section) int {
		return cmp.Or(cmp.Compare(a.urgency, b.urgency), cmp.Compare(a.Site.Wave, b.Site.Wave), cmp.Compare(a.Site.Name, b.Site.Name))
	})
	head, foot := noteHead(all)+fleetSection(opts), noteFoot(all, opts)
	room := limit - len(head) - len(foot)
	note := head + fitSites(all, room) + foot
	if len(note) > limit { // a table of tens of thousands of sites
		return noteTitle(all) + fleetSection(opts) + foot
	}
	return note
}

// fleetSection tells of what guards all sites.
func fleetSection(opts NoteOptions) string {
	var out string
	if opts.Unguarded != "" {
		out = "\n⚠️ **What guards the sites was not compared with the target branch**: " + lifecycle.Markdown(opts.Unguarded) + "\n"
	}
	if lines := guardLines("What guards every site changes", opts.Fleet); lines != "" {
		out += "\n#### ⚠️ the fleet: needs attention\n" + lines
	}
	return out
}

func noteTitle(all []section) string {
	counts := map[urgency]int{}
	for _, s := range all {
		counts[s.urgency]++
	}
	need := "need attention"
	if counts[urgencyAttention] == 1 {
		need = "needs attention"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{counts[urgencyBlocked], "blocked"}, {counts[urgencyAttention], need}, {counts[urgencySafe], "safe"},
		{counts[urgencyNone], "without changes"}} {
		switch {
		case p.n == 0:
		case len(parts) == 0:
			parts = append(parts, lifecycle.Count(p.n, "site")+" "+p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no site changes"}
	}
	return NoteMarker + "\n### kiban plan: " + strings.Join(parts, ", ") + "\n"
}

func noteHead(all []section) string {
	var b strings.Builder
	b.WriteString(noteTitle(all))
	var idle []string
	header := "\n| | Site | What merging does | k0s |\n|---|---|---|---|\n"
	for _, s := range all {
		if s.urgency == urgencyNone {
			idle = append(idle, "`"+s.Site.Name+"`")
			continue
		}
		b.WriteString(header)
		header = ""
		fmt.Fprintf(&b, "| %s&nbsp;%s | `%s` | %s | %s |\n", s.urgency.sign(), strings.ReplaceAll(s.urgency.word(), " ", "&nbsp;"),
			lifecycle.Markdown(s.Site.Name), s.line(), s.versions())
	}
	if len(idle) > 0 {
		fmt.Fprintf(&b, "\nNo changes: %s.\n", lifecycle.Enumerate(idle))
	}
	return b.String()
}

// noteFoot says what the plans were made of, where they are kept, and what becomes of them.
func noteFoot(all []section, opts NoteOptions) string {
	var revisions []string
	for _, s := range all {
		if r := s.Plan.Revision; r != "" && !slices.Contains(revisions, "`"+lifecycle.Markdown(lifecycle.ShortRevision(r))+"`") {
			revisions = append(revisions, "`"+lifecycle.Markdown(lifecycle.ShortRevision(r))+"`")
		}
	}
	text := "Nothing has been changed yet."
	if len(revisions) > 0 {
		text += " Planned at " + someNames(revisions, 3)
		if opts.Pipeline != "" {
			text += fmt.Sprintf(" by [this pipeline](%s), which keeps the plans as artifacts", opts.Pipeline)
		}
		text += "."
	}
	return "\n<sub>" + text + "</sub>\n"
}

// fitSites are the sections of the sites that change, as much of each as there is room for.
func fitSites(all []section, room int) string {
	parts := make([][]string, len(all)) // of each site the forms of its section, longest first
	sizes := make([]int, len(all))
	size := 0
	for i, s := range all {
		parts[i] = s.sections()
		sizes[i] = len(parts[i][0])
		size += sizes[i]
	}
	for size > room {
		longest := 0
		for i := range sizes {
			if sizes[i] > sizes[longest] {
				longest = i
			}
		}
		if len(all) == 0 || len(parts[longest]) == 1 {
			break // nothing is left to leave out
		}
		parts[longest] = parts[longest][1:]
		size -= sizes[longest]
		sizes[longest] = len(parts[longest][0])
		size += sizes[longest]
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p[0])
	}
	return b.String()
}

// sentence begins a clause as a sentence begins.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
