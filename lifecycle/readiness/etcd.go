package readiness

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// etcd says what is wrong with etcd, on which each step of an upgrade rests: alarms, room, members, pace. No version breaks it: it is wrong
// today.
func etcd(in Input, r *report) {
	asked := 0
	var silent []string
	why := map[string]string{} // nothing is known of a host's etcd
	for _, h := range in.State.Hosts {
		switch {
		case h.Etcd == nil:
		case h.Etcd.Unknown != "":
			silent, why[h.Name] = append(silent, h.Name), h.Etcd.Unknown
		default:
			asked++
		}
	}
	if said := r.reasons("how etcd is", silent, why); said != "" {
		r.unseen("how etcd is", said, "kiban asks etcd on the machine itself, with curl: install it where it is missing.")
	}
	for _, f := range in.State.EtcdFindings(in.Site) {
		r.find(f)
	}
	if asked > 0 {
		r.looked(fmt.Sprintf("etcd's room, alarms and pace on %s", lifecycle.Count(asked, "controller")))
	}
}
