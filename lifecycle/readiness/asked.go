package readiness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// asked finds requests for APIs that end: those that API servers count, and those that audit logs tell of, with who made them.
func (l *apiLook) asked(e lifecycle.APIEvidence) {
	all := map[string]*asking{}
	of := func(group, version, resource, removed string) *asking {
		a, known := l.table.resource(group, version, resource, removed)
		if !known {
			return nil // deprecated, and no release ends it
		}
		key := a.GroupVersion() + " " + a.Resource
		if all[key] == nil {
			all[key] = &asking{api: a}
		}
		return all[key]
	}
	var requests []lifecycle.APIRequest
	servers := 0
	var silent []string
	why := map[string]string{}
	for _, from := range e.Requests {
		if !from.Known() {
			silent, why[from.Name] = append(silent, from.Name), from.Unknown
			continue
		}
		servers++
		requests = append(requests, from.Value...)
	}
	const which = "which deprecated APIs are asked for"
	if said := l.reasons(which, silent, why); said != "" {
		l.unasked(which, said, "Let kiban's user read the metrics of every API server: GET /metrics")
	}
	if !e.Kept.Known() {
		l.unasked("which deprecated APIs were asked for before API servers restarted", e.Kept.Unknown, "")
	}
	for _, r := range lifecycle.MergeRequests(e.Kept.Value, requests, l.Now) {
		if a := of(r.Group, r.Version, r.Resource, r.Removed); a != nil {
			a.requests = append(a.requests, r)
		}
	}
	logs, silent, why := 0, nil, map[string]string{}
	for _, from := range e.Calls {
		if !from.Known() {
			silent, why[from.Name] = append(silent, from.Name), from.Unknown
			continue
		}
		logs++
		for _, c := range from.Value {
			if a := of(c.Group, c.Version, c.Resource, c.Removed); a != nil {
				a.calls = append(a.calls, c)
			}
		}
	}
	const who = "who asks for deprecated APIs, by the audit log"
	if said := l.reasons(who, silent, why); said != "" {
		l.unseen(who, said, "")
	}
	if servers > 0 {
		l.looked("requests that " + lifecycle.Count(servers, "API server") + " counted")
	}
	if logs > 0 {
		l.looked(lifecycle.Count(logs, "audit log"))
	}
	for _, key := range sortedKeys(all) {
		l.askedFor(*all[key])
	}
}

// asking is all that was seen of requests for one API.
type asking struct {
	api      lifecycle.API
	requests []lifecycle.APIRequest
	calls    []lifecycle.APICall
}

// since is the latest time after which a request is known to have come.
func (a asking) since() time.Time {
	var at time.Time
	for _, r := range a.requests {
		if r.Since.After(at) {
			at = r.Since
		}
	}
	for _, c := range a.calls {
		if c.Last.After(at) {
			at = c.Last
		}
	}
	return at
}

func (l *apiLook) askedFor(a asking) {
	f := l.fate(a.api)
	if f == fateNone || f == fateGone {
		return // what is not served now is not asked for any more
	}
	if a = l.byOthers(a); len(a.requests)+len(a.calls) == 0 {
		return
	}
	lately := l.Now.Sub(a.since()) <= recently
	name := a.api.GroupVersion() + " " + a.api.Resource
	finding := lifecycle.ReadinessFinding{Rule: f.rule(), Rank: f.rank(lately), Subject: name, Breaks: "v" + a.api.Removed,
		Owner: l.whoAsks(a.calls), Summary: ends(a.api) + ", and it is asked for", Seen: few(a.lines(), mostLines)}
	if !lately {
		finding.Summary = ends(a.api) + ", and it was asked for; whether it still is, is not known"
	}
	who := "Find out who asks (an audit log names user and agent), and have it"
	if len(a.calls) > 0 {
		who = "Have " + lifecycle.Enumerate(agents(a.calls))
	}
	finding.Remedy = who + " stop asking for it: " + l.without(a.api) + "."
	if use := l.instead("use", a.api); use != "" {
		finding.Remedy = who + " " + use + "."
	}
	if f == fateEnds && lately {
		finding.Remedy += fmt.Sprintf(" What no longer asks is in nobody's way after %s.", lifecycle.Span(recently))
	}
	l.find(finding)
}

// byOthers leaves out what kiban asked for itself, by what is declared or was. API servers count requests and do not say whose they are:
// where the declaration has the API, its finding tells of them; where it had it, that others may have asked is good to know.
func (l *apiLook) byOthers(a asking) asking {
	var mayBeOwn []lifecycle.APIRequest
	others := asking{api: a.api}
	for _, r := range a.requests {
		if r.MayBeOwn() {
			mayBeOwn = append(mayBeOwn, r)
		} else {
			others.requests = append(others.requests, r)
		}
	}
	for _, c := range a.calls {
		if agent, _, _ := strings.Cut(c.Agent, "/"); agent != lifecycle.Itself {
			others.calls = append(others.calls, c)
		}
	}
	switch own := (asking{api: a.api, requests: mayBeOwn}); {
	case len(mayBeOwn) == 0:
	case len(others.requests)+len(others.calls) > 0:
		others.requests = a.requests
	case len(l.naming[a.api.String()]) > 0:
		for _, i := range l.naming[a.api.String()] {
			l.Findings[i].Seen = append(l.Findings[i].Seen, own.ownLine())
		}
	default:
		l.find(lifecycle.ReadinessFinding{Rule: l.fate(a.api).rule(), Rank: lifecycle.RankGood,
			Subject: a.api.GroupVersion() + " " + a.api.Resource, Breaks: "v" + a.api.Removed,
			Summary: ends(a.api) + ", and kiban asked for it while it was declared; whether somebody else did, is not known",
			Seen:    few(own.lines(), mostLines),
			Remedy:  "Look again later, best once a night by kiban ci soak --record: who asks from now on is told as somebody else."})
	}
	return others
}

// ownLine says that requests may be kiban's own.
func (a asking) ownLine() string {
	n := int64(0)
	for _, r := range a.requests {
		n += r.Count
	}
	if n == 0 {
		return "API servers count requests for it, kiban's own among them"
	}
	return fmt.Sprintf("API servers count %s for it, kiban's own among them", lifecycle.Count(int(n), "request"))
}

// whoAsks is whose namespaces' service accounts ask, where that is one.
func (l *apiLook) whoAsks(calls []lifecycle.APICall) string {
	var owners []string
	for _, c := range calls {
		if o := l.caller(c); o != "" && !slices.Contains(owners, o) {
			owners = append(owners, o)
		}
	}
	slices.Sort(owners)
	return lifecycle.Enumerate(owners)
}

// agents are who asks, the one that asked last first.
func agents(calls []lifecycle.APICall) []string {
	calls = slices.Clone(calls)
	slices.SortStableFunc(calls, func(a, b lifecycle.APICall) int { return b.Last.Compare(a.Last) })
	var out []string
	for _, c := range calls {
		agent, _, _ := strings.Cut(c.Agent, " ")
		if who := cmp.Or(agent, c.User); !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	if len(out) > 3 {
		out = append(out[:3], "others")
	}
	return out
}

// lines are the evidence: who asked first, then what servers counted.
func (a asking) lines() []string {
	var out []string
	calls := slices.Clone(a.calls)
	slices.SortStableFunc(calls, func(a, b lifecycle.APICall) int { return b.Last.Compare(a.Last) })
	for _, c := range calls {
		line := fmt.Sprintf("audit log: %s", c.User)
		if c.Agent != "" {
			line += fmt.Sprintf(" (%s)", lifecycle.Shorten(c.Agent, 60))
		}
		line += ", " + c.Verb
		if c.Namespace != "" {
			line += " in namespace " + c.Namespace
		}
		out = append(out, line+", last at "+clock(c.Last))
	}
	requests := slices.Clone(a.requests)
	slices.SortStableFunc(requests, func(a, b lifecycle.APIRequest) int { return b.Until.Compare(a.Until) })
	for _, r := range requests {
		what := "asked for"
		if r.Count > 0 {
			what = lifecycle.Count(int(r.Count), "request")
		}
		if r.Subresource != "" {
			what += " for /" + r.Subresource
		}
		out = append(out, fmt.Sprintf("API server of %s: %s, the last between %s and %s", r.Server, what, clock(r.Since), clock(r.Until)))
	}
	return out
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
