package readiness

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// certificates finds those that end soon and that the upgrade does not make anew: authorities, those of other authorities than k0s's, and
// those that the kubelet should have renewed by now. k0s's own are new after an upgrade, for that restarts every controller.
func certificates(in Input, r *report) {
	known := 0
	for _, h := range in.State.Hosts {
		known += len(h.Certificates)
		for _, c := range h.Certificates {
			f := lifecycle.ReadinessFinding{Rule: "certificate", Rank: lifecycle.RankAttention, Subject: h.Name,
				Summary: fmt.Sprintf("the certificate %s %s", c.Name, c.Ends(in.Now)),
				Seen:    []string{"its life: " + c.NotBefore.UTC().Format("2006-01-02") + " to " + c.NotAfter.UTC().Format("2006-01-02")},
				Remedy:  "Replace it before: kiban explain certificate says how."}
			switch due := c.Urgency(in.Now); {
			case due == lifecycle.NotDue || c.Renewed == lifecycle.RenewedByStart:
				continue
			case c.Renewed == lifecycle.RenewedByKubelet:
				f.Remedy = fmt.Sprintf("See in kiban node logs %s %s why the kubelet does not renew it.", in.Site.Name, h.Name)
			case due == lifecycle.Ended:
				f.Rank = lifecycle.RankBlocks // k0s would start into a cluster that refuses what it shows
			case due == lifecycle.DueInTime:
				f.Rank = lifecycle.RankGood
			}
			r.find(f)
		}
	}
	if known > 0 {
		r.looked(lifecycle.Count(known, "certificate"))
	}
}
