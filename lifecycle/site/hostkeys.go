package site

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// readHostKeys notes of each host which keys its known_hosts file has for it: another key is another machine that is trusted. A file that
// can't be read has none; whether there must be one is for checkKnownHosts to say.
func (l *loader) readHostKeys() {
	file, err := l.local(l.site.SSH.KnownHosts)
	if err != nil {
		return
	}
	content, err := overlay.ReadPlain(file)
	if err != nil {
		return
	}
	known := lifecycle.ReadKnownHosts(string(content))
	for i := range l.site.Cluster.Hosts {
		h := &l.site.Cluster.Hosts[i]
		if found := keysOf(known, h.Address, h.Port); len(found) > 0 {
			h.HostKeys = lifecycle.Digest([]byte(strings.Join(found, "\n")))
		}
	}
}

// keysOf are the keys of an address, those that are revoked and those of authorities too, sorted.
func keysOf(known lifecycle.KnownHosts, address string, port int) []string {
	var found []string
	for _, line := range known.Of(address, port) {
		found = append(found, strings.TrimPrefix(line.Marker+" "+line.Type+" "+line.Key, " "))
	}
	slices.Sort(found)
	return slices.Compact(found)
}
