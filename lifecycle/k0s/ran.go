package k0s

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// since is where the moment is kept at which the former k0s had stopped and its successor had not been started: what the log of k0s says
// behind it is the successor's.
func (p paths) since(former lifecycle.Version) string { return p.former(former) + ".since" }

// ranSince reads what of its control plane k0s has started since then. known: the log is whole, so that nothing else was.
func ranSince(text string) (ran []string, known bool) {
	lines := strings.Fields(text)
	for _, part := range []string{lifecycle.PartEtcd, lifecycle.PartKine, lifecycle.PartAPIServer} {
		if slices.Contains(lines, "component="+part) {
			ran = append(ran, part)
		}
	}
	return ran, slices.Contains(lines, "log") && slices.Contains(lines, "component=whole")
}
