package readiness

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// reach says which machines were looked at, and whether the API was.
func reach(in Input, r *report) {
	var away []string
	for _, h := range in.State.Hosts {
		if !h.Reached() {
			away = append(away, h.Name+": "+h.Why)
		}
	}
	if n := len(in.State.Hosts); n > len(away) {
		r.looked(fmt.Sprintf("%d of %s", n-len(away), lifecycle.Count(n, "machine")))
	}
	if len(away) > 0 {
		r.unseen(fmt.Sprintf("what %d of %s are like", len(away), lifecycle.Count(len(in.State.Hosts), "machine")), strings.Join(away, "; "),
			"kiban status "+in.Site.Name)
	}
	r.Blind = len(away) == len(in.State.Hosts) && (in.State.API.Unknown != "" || in.State.API.NotYet)
	if in.Target.Support().Released.IsZero() {
		r.unseen("what else "+in.Target.MinorString()+" changes", "this kiban knows of no such release", "Use a newer kiban when there is one.")
	}
	switch api := in.State.API; {
	case api.NotYet:
		r.unseen("what runs in the cluster", "there is no cluster yet", "kiban apply "+in.Site.Name)
	case api.Unknown != "":
		r.unseen("what runs in the cluster", api.Unknown, "kiban status "+in.Site.Name)
	}
}
