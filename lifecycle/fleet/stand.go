package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Standing is how one site of a fleet is, in short.
type Standing struct {
	Site     string             `json:"site"`
	Provider lifecycle.Provider `json:"provider,omitempty"`
	// Declared is the k0s version that the repository says; Running those that machines run, oldest first.
	Declared string   `json:"declared,omitempty"`
	Running  []string `json:"running,omitempty"`
	// Of how many machines how many answered, and of how many nodes how many are Ready.
	Machines int `json:"machines"`
	Reached  int `json:"reached"`
	Nodes    int `json:"nodes"`
	Ready    int `json:"ready"`
	// API says why the Kubernetes API is not known; "" when it answered. NotYet: there is no cluster yet.
	API    string `json:"api,omitempty"`
	NotYet bool   `json:"notYet,omitempty"`
	// Problems are those that were found, Run the run that holds the site's lock.
	Problems lifecycle.Diagnostics `json:"problems,omitempty"`
	Run      string                `json:"run,omitempty"`
	// Soak is how its control plane soaks, where nothing is wrong with that; nil elsewhere.
	Soak *lifecycle.HealthySoak `json:"soak,omitempty"`
	// Proven is when a backup was last restored in a lab, in UTC, RFC 3339; "": none is known.
	Proven string `json:"proven,omitempty"`
	// ShutOut: kiban was let in to no controller, so it did not ask the API. The problems say why.
	ShutOut bool `json:"shutOut,omitempty"`
	// MadeUp: its machines are those of an example still, so there is nobody to ask.
	MadeUp bool `json:"madeUp,omitempty"`
	// Failed says why nothing is known of the site.
	Failed string `json:"failed,omitempty"`
}

// Stand sums up what was observed of a site.
func Stand(site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, locks []lifecycle.Lock) Standing {
	s := Standing{Site: site.Name, Provider: site.Provider, Machines: len(st.Hosts), Nodes: len(st.Nodes), API: st.API.Unknown,
		NotYet: st.API.NotYet, ShutOut: st.ShutOut(site), Problems: problems, Soak: st.Past.Pinned.Value.SoaksWell(site, st)}
	if !site.Cluster.Version.IsZero() {
		s.Declared = site.Cluster.Version.String()
	}
	var versions []lifecycle.Version
	for _, h := range st.Hosts {
		if h.Reached() {
			s.Reached++
		}
		if !h.Running.IsZero() {
			versions = append(versions, h.Running)
		}
	}
	slices.SortFunc(versions, func(a, b lifecycle.Version) int {
		switch {
		case a.Less(b):
			return -1
		case b.Less(a):
			return 1
		}
		return 0
	})
	for _, v := range versions {
		if n := len(s.Running); n == 0 || s.Running[n-1] != v.String() {
			s.Running = append(s.Running, v.String())
		}
	}
	for _, n := range st.Nodes {
		if n.Ready {
			s.Ready++
		}
	}
	if p := st.Proven(); p != nil {
		s.Proven = p.At
	}
	if len(locks) > 0 {
		s.Run = locks[0].Holder
	}
	return s
}

// StandMadeUp is a site whose machines are made up, as the finding says.
func StandMadeUp(site lifecycle.Site, found lifecycle.Diagnostic) Standing {
	s := Stand(site, lifecycle.State{API: lifecycle.APIState{Unknown: found.Summary}}, lifecycle.Diagnostics{found}, nil)
	s.MadeUp, s.Machines = true, len(site.Cluster.Hosts)
	return s
}

// Known reports whether anything at all was learned of the site, or there is nothing to learn.
func (s Standing) Known() bool {
	return s.Failed == "" && (s.MadeUp || s.Reached > 0 || s.Nodes > 0 || s.API == "" && s.Machines == 0)
}

// StandingTable are sites as a table, a site a row: its head and its rows, with cells that are apart by tabs.
func StandingTable(sites []Standing, now time.Time) (head string, rows []string) {
	for _, s := range sites {
		rows = append(rows, strings.Join([]string{s.Site, s.Versions(), ofAll(s.Reached, s.Machines), ofAll(s.Ready, s.Nodes),
			s.proven(now), lifecycle.OneLine(s.Verdict())}, "\t"))
	}
	return "SITE\tK0S\tMACHINES\tNODES\tPROVEN\tSTANDS", rows
}

// proven is how long ago a backup was last restored in a lab; "-" where that is not known.
func (s Standing) proven(now time.Time) string {
	p := &lifecycle.Proof{At: s.Proven}
	age, known := p.Age(now)
	switch {
	case known:
		return lifecycle.Span(age)
	case !s.Known() || s.MadeUp || s.API != "" || s.NotYet || s.Provider == lifecycle.ProviderExternal:
		return "-"
	}
	return "never"
}

// Versions is what runs, and what is declared where that is something else.
func (s Standing) Versions() string {
	short := func(v string) string { v, _, _ = strings.Cut(v, "+"); return v }
	var runs []string
	for _, v := range s.Running {
		runs = append(runs, short(v))
	}
	text := strings.Join(slices.Compact(runs), ",")
	switch {
	case text == "" && s.Declared == "":
		return "-"
	case text == "":
		return "(" + short(s.Declared) + ")"
	case s.Declared != "" && (len(s.Running) != 1 || s.Running[0] != s.Declared):
		return text + " of " + short(s.Declared)
	}
	return text
}

func ofAll(n, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", n, all)
}

// Verdict is the worst that there is to say, and the run that is at work.
func (s Standing) Verdict() string {
	var parts []string
	if s.Run != "" {
		parts = append(parts, "run "+s.Run+" is changing it")
	}
	switch {
	case s.Failed != "":
		parts = append(parts, "not known: "+s.Failed)
	case s.MadeUp: // the finding says it
	case s.NotYet:
		parts = append(parts, "no cluster yet")
	case s.API != "" && !s.ShutOut:
		parts = append(parts, "the API did not answer: "+s.API)
	}
	if s.Soak != nil {
		parts = append(parts, "soaks, and "+s.Soak.CanGoBack())
	}
	worst, machines := once(s.Problems)
	slices.SortStableFunc(worst, func(a, b lifecycle.Diagnostic) int { return rank(a) - rank(b) })
	if len(worst) > 0 {
		text := worst[0].Summary
		if n := machines[text]; n > 1 {
			text += fmt.Sprintf(" (%d machines)", n)
		} else if subject := worst[0].Subject; subject != "" && !strings.Contains(text, subject) {
			text = subject + ": " + text
		}
		if len(worst) > 1 {
			text = fmt.Sprintf("%s, of which the first: %s", lifecycle.Count(len(worst), "problem"), text)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "well"
	}
	return strings.Join(parts, "; ")
}

// once are the problems with each kind once, and of how many subjects each is said: one cause on five machines is one problem.
func once(ds lifecycle.Diagnostics) (kinds lifecycle.Diagnostics, of map[string]int) {
	of = map[string]int{}
	for _, d := range ds {
		if of[d.Summary]++; of[d.Summary] == 1 {
			kinds = append(kinds, d)
		}
	}
	return kinds, of
}

func rank(d lifecycle.Diagnostic) int {
	if d.Severity == lifecycle.SeverityWarning {
		return 1
	}
	return 0
}
