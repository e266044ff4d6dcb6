package readiness

import (
	"cmp"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// reach says which machines were looked at, and whether the API was. Where nobody answered, that is one cause.
func reach(in Input, r *report) {
	away, all := map[string][]string{}, len(in.State.Hosts)
	r.away = map[string]bool{}
	for _, h := range in.State.Hosts {
		if !h.Reached() {
			r.away[h.Name] = true
			away[h.Why] = append(away[h.Why], h.Name)
		}
	}
	if n := len(r.away); all > n {
		r.looked(fmt.Sprintf("%d of %s", all-n, lifecycle.Count(all, "machine")))
	}
	api := in.State.API
	r.Blind = len(r.away) == all && (api.Unknown != "" || api.NotYet)
	const cluster = "what runs in the cluster"
	look := "kiban status " + in.Site.Name
	if n := len(r.away); n > 0 {
		r.unseen(fmt.Sprintf("what %d of %s are like", n, lifecycle.Count(all, "machine")), whose(away), wayIn(in, look))
		r.machines = len(r.Unseen)
	}
	switch {
	case api.NotYet:
		r.unseen(cluster, "there is no cluster yet", "kiban apply "+in.Site.Name)
		r.api = len(r.Unseen)
	case api.Unknown != "" && r.Blind && r.machines > 0:
		r.hidden(r.machines, cluster)
		if u := &r.Unseen[r.machines-1]; u.Why != api.Unknown {
			u.Why += "; the API: " + api.Unknown
		}
		r.api = r.machines
	case api.Unknown != "":
		r.unseen(cluster, api.Unknown, look)
		r.api = len(r.Unseen)
	}
	if in.Target.Support().Released.IsZero() {
		r.unseen("what else "+in.Target.MinorString()+" changes", noRelease, newerKiban)
	}
}

// wayIn is how to be let in to the machines that did not let kiban in: where that is one and the same for all, it is told here.
func wayIn(in Input, otherwise string) string {
	way := ""
	for _, h := range in.State.Hosts {
		if h.Reached() {
			continue
		}
		declared, _ := in.Site.Cluster.Host(h.Name)
		one := h.Problem.WayIn(in.Site.Name, h.Name, declared.User)
		if one == "" || way != "" && way != one {
			return otherwise
		}
		way = one
	}
	return cmp.Or(way, otherwise)
}

// What is said of versions that are newer than this kiban's data.
const (
	noRelease  = "this kiban knows of no such release"
	newerKiban = "Use a newer kiban when there is one."
)
