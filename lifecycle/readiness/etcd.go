package readiness

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// etcd says what is wrong with etcd, on which each step of an upgrade rests: alarms, room, members, pace. No version breaks it: it is wrong
// today.
func etcd(in Input, r *report) {
	asked := 0
	var silent []string
	by := map[string][]string{} // hosts, by why nothing is known of their etcd
	for _, h := range in.State.Hosts {
		switch {
		case h.Etcd == nil:
		case h.Etcd.Unknown != "":
			silent, by[h.Etcd.Unknown] = append(silent, h.Name), append(by[h.Etcd.Unknown], h.Name)
		default:
			asked++
		}
	}
	if len(silent) > 0 {
		var why []string
		for _, said := range sortedKeys(by) {
			reason := said
			if len(by) > 1 {
				reason = lifecycle.Few(by[said]) + ": " + said
			}
			why = append(why, reason)
		}
		r.unseen("how etcd is on "+lifecycle.Few(silent), strings.Join(why, "; "),
			"kiban asks etcd on the machine itself, with curl: install it where it is missing.")
	}
	for _, f := range in.State.EtcdFindings(in.Site) {
		r.find(f)
	}
	if asked > 0 {
		r.looked(fmt.Sprintf("etcd's room, alarms and pace on %s", lifecycle.Count(asked, "controller")))
	}
}
