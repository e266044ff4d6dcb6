package site

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

var (
	mergedHost = regexp.MustCompile(`\bhost #(\d+): `)
	mergedLine = regexp.MustCompile(`\bline (\d+): `)
)

// pin gives a finding about the merged Cluster document the place in the tree that it came from: of the line of the merged
// document that it quotes, or of the host that it names or counts.
func pin(t *overlay.Tree, d lifecycle.Diagnostic, merged *yaml.Node) lifecycle.Diagnostic {
	for _, s := range []*string{&d.Summary, &d.Detail} {
		m := mergedLine.FindStringSubmatch(*s)
		if m == nil {
			continue
		}
		line, _ := strconv.Atoi(m[1]) // the form admits digits only
		d.Subject = t.Where(clusterPlace(pathAtLine(merged, line)...))
		*s = strings.Replace(*s, m[0], "", 1) // a line of a document that nobody wrote helps nobody
		return d
	}
	if m := mergedHost.FindStringSubmatch(d.Detail); m != nil {
		n, _ := strconv.Atoi(m[1])
		if hosts := overlay.Items(overlay.Field(merged, "spec", "hosts")); n >= 1 && n <= len(hosts) {
			d.Subject = overlay.Text(overlay.Field(hosts[n-1], "hostname"))
			d.Detail = strings.Replace(d.Detail, m[0], "", 1)
		}
	}
	hosts := t.Hosts()
	if i := slices.IndexFunc(hosts, func(h overlay.Host) bool { return h.Name == d.Subject }); i >= 0 {
		if !strings.Contains(d.Summary, d.Subject) {
			d.Summary = d.Subject + ": " + d.Summary
		}
		d.Subject = hosts[i].Source
		return d
	}
	if !strings.Contains(d.Subject, ":") {
		d.Subject = t.Where(clusterPlace())
	}
	return d
}
