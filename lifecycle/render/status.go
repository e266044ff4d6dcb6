package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// StatusText shows a state as tables, and under them the problems that were found.
func StatusText(w io.Writer, site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, style Style) error {
	var b strings.Builder
	statusHead(&b, site, st, style)
	statusTables(&b, site, st, style)
	statusProblems(&b, problems, style)
	_, err := io.WriteString(w, b.String())
	return err
}

// StatusWatched is StatusText for a screen, which may be too low for all of it: the problems come first, for the end is what is cut.
func StatusWatched(w io.Writer, site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, style Style) error {
	var b strings.Builder
	statusHead(&b, site, st, style)
	statusProblems(&b, problems, style)
	statusTables(&b, site, st, style)
	_, err := io.WriteString(w, b.String())
	return err
}

func statusHead(b *strings.Builder, site lifecycle.Site, st lifecycle.State, style Style) {
	head := "Site " + site.Name + ", k0s " + site.Cluster.Version.String() + " declared"
	if site.Provider == lifecycle.ProviderExternal {
		head = "Site " + site.Name + ", whose machines someone else runs"
	}
	lines := []string{style.paint(codeBold, head), statusLine(site, st)}
	if soak := st.Past.Pinned.Value.SoaksWell(site, st); soak != nil {
		lines = append(lines, soakLine(site.Name, *soak))
	}
	for _, line := range lines {
		b.WriteString(strings.Join(wrapText(line, 4, style.columns), "\n") + "\n")
	}
}

// soakLine says of a control plane that soaks, and is well, what that is.
func soakLine(site string, s lifecycle.HealthySoak) string {
	line := fmt.Sprintf("The control plane soaks since %s: it runs %s, acts as %s, and %s (kiban back %s). "+
		"Workers follow when it is committed.",
		lifecycle.Stamp(s.Since), s.To, s.Former.MinorString(), s.CanGoBack(), site)
	if s.Over {
		line += fmt.Sprintf(" The next kiban apply %s commits it, and so does kiban commit %[1]s. "+
			"In a fleet's pipeline that plan waits for somebody who accepts it.", site)
	}
	return line
}

func statusTables(b *strings.Builder, site lifecycle.Site, st lifecycle.State, style Style) {
	table(b, style, "MACHINE\tROLE\tADDRESS\tSERVICE\tRUNS\tINSTALLED", hostRows(site, st))
	table(b, style, "NODE\tSTATUS\tKUBELET\tADDRESS", nodeRows(st))
	table(b, style, "API SERVER\tREADY\tVERSION", serverRows(st))
	heading, rows := memberRows(site, st)
	table(b, style, heading, rows)
	table(b, style, "UNIT\tVERSION\tHEALTH\tNOTE", unitRows(st))
}

func statusProblems(b *strings.Builder, problems lifecycle.Diagnostics, style Style) {
	if len(problems) > 0 {
		b.WriteByte('\n')
		for i, f := range folded(problems) {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(DiagnosticText(f.Diagnostic, style))
		}
	}
}

func statusLine(site lifecycle.Site, st lifecycle.State) string {
	reached, ready, servers := 0, 0, 0
	for _, h := range st.Hosts {
		if h.Reached() {
			reached++
		}
	}
	for _, n := range st.Nodes {
		if n.Ready {
			ready++
		}
	}
	for _, s := range st.API.Servers {
		if s.Ready {
			servers++
		}
	}
	var parts []string
	external := site.Provider == lifecycle.ProviderExternal
	if !external {
		parts = append(parts, fmt.Sprintf("%d of %s reached", reached, lifecycle.Count(len(st.Hosts), "machine")))
	}
	switch {
	case st.API.NotYet:
		parts = append(parts, beginning(site, st))
	case st.ShutOut(site):
		parts = append(parts, "so the Kubernetes API was not asked")
	case st.API.Unknown != "":
		parts = append(parts, "the Kubernetes API did not answer")
	default:
		if !external {
			parts = append(parts, fmt.Sprintf("%d of %s ready", servers, lifecycle.Count(len(st.API.Servers), "API server")))
		}
		parts = append(parts, fmt.Sprintf("%d of %s Ready", ready, lifecycle.Count(len(st.Nodes), "node")))
		if units := unitSummary(st); units != "" {
			parts = append(parts, units)
		}
	}
	line := strings.Join(parts, ", ") + "."
	return strings.ToUpper(line[:1]) + line[1:] + certificatesLine(st) + provenLine(site, st)
}

// provenLine says how long ago a backup was last restored in a lab, as far as the cluster tells.
func provenLine(site lifecycle.Site, st lifecycle.State) string {
	if site.Provider == lifecycle.ProviderExternal || st.API.NotYet || st.API.Unknown != "" {
		return ""
	}
	if age, known := st.Proven().Age(st.ObservedAt); known {
		return " Last proven restore: " + lifecycle.Span(age) + " ago."
	}
	return " No backup is proven yet: kiban drill " + site.Name + "."
}

// certificatesLine says which certificate ends first of those that no kubelet renews by itself.
func certificatesLine(st lifecycle.State) string {
	var first lifecycle.Certificate
	var on string
	for _, h := range st.Hosts {
		for _, c := range h.Certificates {
			if c.Renewed != lifecycle.RenewedByKubelet && (on == "" || c.NotAfter.Before(first.NotAfter)) {
				first, on = c, h.Name
			}
		}
	}
	if on == "" {
		return ""
	}
	ends := "ends"
	if !first.NotAfter.After(st.ObservedAt) {
		ends = "ended"
	}
	return fmt.Sprintf(" Certificates: the first %s on %s (%s on %s).", ends, first.NotAfter.UTC().Format(time.DateOnly), first.Name, on)
}

// beginning says of a site without a controller whether it had a cluster.
func beginning(site lifecycle.Site, st lifecycle.State) string {
	lost, ok := lifecycle.Lost(site, st)
	switch {
	case ok && lost.Doubt:
		return "no controller, and workers of a cluster"
	case ok:
		return "the control plane is lost"
	}
	return "no cluster yet"
}

func hostRows(site lifecycle.Site, st lifecycle.State) []string {
	var rows []string
	for _, hs := range st.Hosts {
		h, _ := site.Cluster.Host(hs.Name)
		rows = append(rows, row(hs.Name, string(h.Role), h.Address, serviceText(hs), hs.Running.String(), hs.Binary.String()))
	}
	return rows
}

func nodeRows(st lifecycle.State) []string {
	var rows []string
	for _, n := range st.Nodes {
		rows = append(rows, row(n.Name, nodeStatus(st, n.Name), n.Kubelet, n.InternalIP))
	}
	return rows
}

func serverRows(st lifecycle.State) []string {
	var rows []string
	for _, s := range st.API.Servers {
		ready := "yes"
		if !s.Ready {
			ready = "no"
		}
		rows = append(rows, row(s.Host, ready, s.Version))
	}
	return rows
}

// memberRows are etcd's members; with their part and how full they are where any of them tells that.
func memberRows(site lifecycle.Site, st lifecycle.State) (heading string, rows []string) {
	told := slices.ContainsFunc(st.Hosts, func(h lifecycle.HostState) bool { return h.Etcd.Known() })
	heading = "ETCD MEMBER\tADDRESS"
	if told {
		heading += "\tPART\tSIZE"
	}
	for _, m := range st.Etcd.Members {
		cells := []string{m.Name, m.PeerAddress}
		if told {
			owner, _ := site.Cluster.EtcdOwner(m)
			h, _ := st.Host(owner.Name)
			cells = append(cells, etcdPart(h.Etcd)...)
		}
		rows = append(rows, row(cells...))
	}
	return heading, rows
}

func etcdPart(e *lifecycle.EtcdStatus) []string {
	switch {
	case e != nil && e.Unknown != "":
		return []string{"not known", ""}
	case !e.Known():
		return []string{"", ""}
	case e.Leads:
		return []string{"leader", e.Room()}
	case e.Learner:
		return []string{"learner", e.Room()}
	}
	return []string{"follower", e.Room()}
}

func row(cells ...string) string {
	for i, c := range cells {
		if c == "" {
			cells[i] = "-"
		}
	}
	return strings.Join(cells, "\t")
}
