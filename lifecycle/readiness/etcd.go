package readiness

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// etcd says what is wrong with etcd, on which each step of an upgrade rests: alarms, room, members, pace. No version breaks it: it is wrong
// today.
func etcd(in Input, r *report) {
	asked, paces := 0, 0
	var silent, slow []string
	why := map[string]string{} // nothing, or no more than its status, is known of a host's etcd
	for _, h := range in.State.Hosts {
		switch {
		case h.Etcd == nil:
		case h.Etcd.Unknown != "":
			silent, why[h.Name] = append(silent, h.Name), h.Etcd.Unknown
		case h.Etcd.PaceUnknown != "":
			asked++
			slow, why[h.Name] = append(slow, h.Name), h.Etcd.PaceUnknown
		default:
			asked++
			paces++
		}
	}
	const how, pace = "how etcd is", "how quick etcd's disk is, and how often its leader changes"
	if said := r.reasons(how, silent, why); said != "" {
		r.unseen(how, said, r.askEtcd(in.Site.Name, silent, why))
	}
	if said := r.reasons(pace, slow, why); said != "" {
		r.unseen(pace, said, r.askEtcd(in.Site.Name, slow, why))
	}
	for _, f := range in.State.EtcdFindings(in.Site) {
		r.find(f)
	}
	switch on := lifecycle.Count(asked, "controller"); {
	case asked > 0 && paces == asked:
		r.looked(fmt.Sprintf("etcd's room, alarms and pace on %s", on))
	case asked > 0:
		r.looked(fmt.Sprintf("etcd's room and alarms on %s", on))
	}
}

// askEtcd says how to have etcd answer: where curl is missing, that is all; else the log of its controller says more.
func (r *report) askEtcd(site string, hosts []string, why map[string]string) string {
	var without, mute []string
	for _, h := range hosts {
		switch {
		case r.away[h]: // that is told of the machine
		case strings.Contains(why[h], "not installed"):
			without = append(without, h)
		default:
			mute = append(mute, h)
		}
	}
	var ways []string
	if len(without) > 0 {
		ways = append(ways, "Install curl on "+lifecycle.Few(without)+": kiban asks etcd on the machine itself, with it.")
	}
	if len(mute) > 0 {
		ways = append(ways, "See why etcd does not answer: kiban node logs "+site+" "+mute[0])
	}
	return strings.Join(ways, " ")
}
