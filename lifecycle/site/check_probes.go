package site

import (
	"fmt"
	"net/url"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkProbes: each is a plain HTTP or HTTPS address, which is asked as it stands.
func checkProbes(addresses []string) []finding {
	var found []finding
	for i, a := range addresses {
		at := sitePlace("spec", "upgrade", "probes", overlay.Index(i))
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
			found = append(found, wrong(at, fmt.Sprintf("probe %d is no HTTP address", i+1),
				"It is asked as it stands, before each node and while nodes are out.",
				`Write it whole, such as "https://shop.example.org/healthz".`))
		case u.User != nil:
			found = append(found, wrong(at, fmt.Sprintf("probe %d holds a password", i+1), "The repository and the journal are no place for one.",
				"Probe an address that answers without, such as a health check."))
		}
	}
	return found
}
