package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"kiban.dev/kiban/lifecycle"
)

// StatusText shows a state as tables, and under them the problems that were found.
func StatusText(w io.Writer, site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, style Style) error {
	var b strings.Builder
	head := "Site " + site.Name + ", k0s " + site.Cluster.Version.String() + " declared"
	if site.Provider == lifecycle.ProviderExternal {
		head = "Site " + site.Name + ", whose machines someone else runs"
	}
	fmt.Fprintf(&b, "%s\n%s\n", style.paint(codeBold, head), statusLine(site, st))
	table(&b, "MACHINE\tROLE\tADDRESS\tSERVICE\tRUNS\tINSTALLED", hostRows(site, st))
	table(&b, "NODE\tSTATUS\tKUBELET\tADDRESS", nodeRows(st))
	table(&b, "API SERVER\tREADY\tVERSION", serverRows(st))
	table(&b, "ETCD MEMBER\tADDRESS", memberRows(st))
	table(&b, "UNIT\tVERSION\tHEALTH\tNOTE", unitRows(st))
	if len(problems) > 0 {
		b.WriteByte('\n')
		for i, d := range problems {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(DiagnosticText(d, style))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
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
		parts = append(parts, "no cluster yet")
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
	return strings.ToUpper(line[:1]) + line[1:]
}

func table(b *strings.Builder, head string, rows []string) {
	if len(rows) == 0 {
		return
	}
	var t strings.Builder
	tw := tabwriter.NewWriter(&t, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, head)
	for _, r := range rows {
		fmt.Fprintln(tw, r)
	}
	_ = tw.Flush() // a strings.Builder takes everything
	b.WriteByte('\n')
	for line := range strings.Lines(t.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
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

func memberRows(st lifecycle.State) []string {
	var rows []string
	for _, m := range st.Etcd.Members {
		rows = append(rows, row(m.Name, m.PeerAddress))
	}
	return rows
}

func row(cells ...string) string {
	for i, c := range cells {
		if c == "" {
			cells[i] = "-"
		}
	}
	return strings.Join(cells, "\t")
}
