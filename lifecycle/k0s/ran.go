package k0s

import (
	"fmt"
	"slices"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// since is where the moment is kept at which the former k0s had stopped and its successor had not been started: what the log of k0s says
// behind it is the successor's.
func (p paths) since(former lifecycle.Version) string { return p.former(former) + ".since" }

// markSince is the command that keeps that moment: by the clock, and by what a clock that is set later does not change, which is the file
// that k0s.yaml is by then, and the last entry of k0s's log.
func (p paths) markSince(former lifecycle.Version) string {
	return fmt.Sprintf("{ date +%%s.%%N; TZ=UTC stat -c 'config %%i %%z' %s 2>/dev/null; "+
		"journalctl -u k0scontroller -n 1 -q --show-cursor --no-pager -o cat 2>/dev/null | sed -n '$s/^-- cursor: /cursor /p'; } > %s",
		shellescape.Quote(p.config), shellescape.Quote(p.since(former)))
}

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
