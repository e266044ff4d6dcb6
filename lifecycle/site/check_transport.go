package site

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkTransport holds that nobody on the way can choose what is installed: what comes over plain http is pinned, or signed by a key of the
// fleet's.
func (l *loader) checkTransport() {
	l.add(checkBinariesTransport(*l.site)...)
	for _, a := range l.site.Addons {
		if a.Chart != nil && plainHTTP(a.Chart.Repo) {
			_, locked := l.site.Pins.Chart(*a.Chart)
			l.add(l.unpinnedTransport(addonPlace(a.Name, "spec", "chart", "repo"), "chart "+a.Chart.Name+" "+a.Chart.Version, locked)...)
		}
		for i, m := range a.Manifests {
			if plainHTTP(m) {
				_, locked := l.site.Pins.Manifest(m)
				l.add(l.unpinnedTransport(addonPlace(a.Name, "spec", "manifests", overlay.Index(i)), m, locked)...)
			}
		}
	}
}

// checkBinariesTransport judges where k0s and its checksums come from. One of the two over TLS is enough: either must match the other.
func checkBinariesTransport(site lifecycle.Site) []finding {
	b := site.Binary
	if !plainHTTP(b.URL) || b.Checksums != "" && !plainHTTP(b.Checksums) || len(b.SHA256) > 0 || site.Fleet.K0sSigningKey != "" {
		return nil
	}
	return []finding{wrong(sitePlace("spec", "binaries", "url"), "binaries and checksums both come over plain http",
		"Whoever can change one on the way can change the other to match, and k0s runs as root on every machine.",
		"Use https for one of them, pin binaries.sha256, or have k0s's signature checked: spec.k0s.signingKey in "+lifecycle.FleetFile+".")}
}

// unpinnedTransport refuses what comes over plain http without a digest in the lock file. While that file is about to be written, whoever
// writes it is told what it will rest on.
func (l *loader) unpinnedTransport(at overlay.Place, what string, locked bool) []finding {
	const detail = "Whoever is on the way can put something else in its place."
	switch {
	case locked:
		return nil
	case l.opts.Unpinned:
		return []finding{doubtful(at, fmt.Sprintf("%s comes over plain http", what), detail,
			"Use https, or compare the digest that is pinned with its maker's.")}
	}
	return []finding{wrong(at, fmt.Sprintf("%s comes over plain http, and nothing pins it", what), detail,
		"Use https, or pin it: kiban pin "+l.site.Name)}
}

// plainHTTP reports whether something is fetched over a network without TLS. What is fetched from this machine itself has no way to be
// changed on.
func plainHTTP(where string) bool {
	if !strings.HasPrefix(strings.ToLower(where), "http://") {
		return false
	}
	u, err := url.Parse(strings.NewReplacer("{version}", "v", "{arch}", "a").Replace(where))
	if err != nil {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil && u.Hostname() != "localhost" || ip != nil && !ip.IsLoopback()
}
