package lifecycle

import (
	"testing"
	"time"
)

func TestUrgencyOfACertificate(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		life, left time.Duration
		renewed    Renewal
		want       Urgency
	}{
		"fresh":                                {365 * day, 364 * day, RenewedByStart, NotDue},
		"91 days":                              {365 * day, 91 * day, RenewedByStart, NotDue},
		"90 days":                              {365 * day, 90 * day, RenewedByStart, DueInTime},
		"30 days":                              {365 * day, 30 * day, RenewedByStart, DueSoon},
		"7 days":                               {365 * day, 7 * day, RenewedByStart, DueNow},
		"ended":                                {365 * day, 0, RenewedByStart, Ended},
		"ten years, 91 days":                   {3650 * day, 91 * day, RenewedByHand, NotDue},
		"ten years, 89 days":                   {3650 * day, 89 * day, RenewedByHand, DueInTime},
		"a short life, just made":              {10 * day, 10 * day, RenewedByStart, NotDue},
		"a short life, a quarter left":         {10 * day, 60 * time.Hour, RenewedByStart, DueInTime},
		"a short life, nearly over":            {10 * day, 4 * time.Hour, RenewedByStart, DueNow},
		"the kubelet is yet to renew it":       {365 * day, 60 * day, RenewedByKubelet, NotDue},
		"the kubelet should have, and did not": {365 * day, 29 * day, RenewedByKubelet, DueSoon},
	} {
		end := now.Add(tt.left)
		c := Certificate{Name: "server", NotBefore: end.Add(-tt.life), NotAfter: end, Renewed: tt.renewed}
		if got := c.Urgency(now); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// An end that is near is told in hours.
func TestEndOfACertificate(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		-time.Hour: "ended on 2026-11-28", 30 * time.Hour: "ends on 2026-11-29, in 30 hours", 49 * time.Hour: "ends on 2026-11-30, in 2 days",
		24 * time.Hour * 364: "ends on 2027-11-27, in 364 days",
	} {
		if got := (Certificate{NotAfter: now.Add(after)}).Ends(now); got != want {
			t.Errorf("%s: %s", after, got)
		}
	}
}
