package lifecycle

import (
	"fmt"
	"strings"
	"time"
)

// Renewal is how a certificate is replaced before it ends.
type Renewal string

const (
	// RenewedByStart: k0s makes it anew each time that it starts as a controller (k0s: pkg/certificate, Manager.regenerateCert).
	RenewedByStart Renewal = "start"
	// RenewedByKubelet: the kubelet asks for another one while it runs, with 10 to 30 % of the life left (Kubernetes: certificate rotation).
	RenewedByKubelet Renewal = "kubelet"
	// RenewedByHand: an authority, which k0s makes once, or a certificate that another authority than k0s's has signed.
	RenewedByHand Renewal = "hand"
)

// Certificate is one by which parts of the cluster know each other.
type Certificate struct {
	// Name is its file's, below k0s's folder of certificates and without ending: "server", "etcd/peer"; "kubelet-client" is the kubelet's.
	Name string `json:"name"`
	// NotBefore and NotAfter are when its life begins and ends.
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Renewed   Renewal   `json:"renewed"`
}

// Urgency says how soon a certificate must be seen to.
type Urgency int

const (
	NotDue Urgency = iota
	// DueInTime: at most 90 days are left, or a quarter of a life that is shorter than a year.
	DueInTime
	// DueSoon: at most 30 days, or a twelfth of its life.
	DueSoon
	// DueNow: at most 7 days, or a fiftieth of its life.
	DueNow
	// Ended: it is worth nothing any more.
	Ended
)

// year is the life that k0s gives its certificates unless spec.api.ca.certificatesExpireAfter says otherwise.
const year = 365 * 24 * time.Hour

// Urgency of a certificate at a moment. One that the kubelet renews is not due before it should have done so.
func (c Certificate) Urgency(now time.Time) Urgency {
	left, life := c.NotAfter.Sub(now), min(c.NotAfter.Sub(c.NotBefore), year)
	due := NotDue
	switch {
	case left <= 0:
		due = Ended
	case left <= min(7*24*time.Hour, life/50):
		due = DueNow
	case left <= min(30*24*time.Hour, life/12):
		due = DueSoon
	case left <= min(90*24*time.Hour, life/4):
		due = DueInTime
	}
	if c.Renewed == RenewedByKubelet && due == DueInTime {
		return NotDue
	}
	return due
}

// EndingCertificates are findings about a machine's certificates that end soon; renewed says that k0s starts there anyway. A calm
// cluster dies of those of k0s a year after its controllers last started.
func (h HostState) EndingCertificates(site string, now time.Time, renewed bool) Diagnostics {
	var out Diagnostics
	for _, c := range h.Certificates {
		switch {
		case c.Urgency(now) == NotDue || c.Renewed == RenewedByStart:
		case c.Renewed == RenewedByKubelet:
			out = append(out, Warnf(h.Name, "the kubelet has not renewed its certificate, which %s", c.Ends(now)).
				Because("It asks for another while it runs, long before the end; the control plane signs that.").
				Try(fmt.Sprintf("kiban node logs %s %s says what keeps it from that; a restart of k0s there has it ask again.", site, h.Name)))
		case !c.NotAfter.After(now):
			out = append(out, Warnf(h.Name, "the certificate %s, which k0s does not renew, %s", c.Name, c.Ends(now)).
				Because("What it serves is refused since then. "+c.byHandWhy()).
				Try("Replace it now: kiban explain certificate says how."))
		default:
			out = append(out, Warnf(h.Name, "the certificate %s, which k0s does not renew, %s", c.Name, c.Ends(now)).
				Because(c.byHandWhy()).
				Try("Replace it well before: kiban explain certificate says how."))
		}
	}
	if first, ok := h.FirstToEnd(); ok && first.Urgency(now) != NotDue && !renewed {
		out = append(out, Warnf(h.Name, "k0s's certificates end: the first %s", first.Ends(now)).
			Because("Without them the API and etcd are refused. k0s makes new ones each time it starts on a controller, and only then.").
			Try(fmt.Sprintf("kiban renew %s restarts k0s on one controller after the other.", site)))
	}
	return out
}

// FirstToEnd is the certificate that ends first of those that k0s makes anew when it starts; ok is false where none is known.
func (h HostState) FirstToEnd() (first Certificate, ok bool) {
	for _, c := range h.Certificates {
		if c.Renewed == RenewedByStart && (!ok || c.NotAfter.Before(first.NotAfter)) {
			first, ok = c, true
		}
	}
	return first, ok
}

// Ends says when it ends: "ends on 2027-02-01, in 65 days".
func (c Certificate) Ends(now time.Time) string {
	day, left := c.NotAfter.UTC().Format(time.DateOnly), c.NotAfter.Sub(now)
	switch {
	case left <= 0:
		return "ended on " + day
	case left < 48*time.Hour:
		return fmt.Sprintf("ends on %s, in %s", day, Count(int(left.Hours()), "hour"))
	}
	return fmt.Sprintf("ends on %s, in %s", day, Count(int(left.Hours()/24), "day"))
}

func (c Certificate) byHandWhy() string {
	if c.Name == "ca" || strings.HasSuffix(c.Name, "/ca") || strings.HasSuffix(c.Name, "-ca") {
		return "It is an authority of the cluster: what it has signed ends with it, every kubelet's and every kubeconfig's certificate, too."
	}
	return "Another authority than k0s's has signed it, and k0s has not that authority's key."
}
