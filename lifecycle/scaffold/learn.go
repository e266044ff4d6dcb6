package scaffold

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Learnt is what a document leaves to whoever runs k0sctl, and kiban wants said.
type Learnt struct {
	// Version is "" where the document says it.
	Version string
	// Hosts are in the order of the document.
	Hosts []LearntHost
}

// LearntHost is what is known of one host. PrivateAddress is "" where the document says it, and where the host has none. Program is where
// k0s lies, or goes, where that is not where it is by default.
type LearntHost struct{ Name, PrivateAddress, Program string }

// usualProgram is where k0s lies if nobody says otherwise.
const usualProgram = "/usr/local/bin/k0s"

// NoVersion stands for the version of a document without one, until the machines are asked.
const NoVersion = "v1.0.0+k0s.0"

// Unnamed begins the names of hosts whose own is not known yet.
const Unnamed = "kiban-import-"

// Provisional names the hosts that have no hostname by their position, so that the machines can be asked.
func (c *Cluster) Provisional() Learnt {
	out := Learnt{Hosts: make([]LearntHost, len(c.Hosts))}
	if c.Version == "" {
		out.Version = NoVersion
	}
	for i, h := range c.Hosts {
		if out.Hosts[i].Name = h.Hostname; h.Hostname == "" {
			out.Hosts[i].Name = fmt.Sprintf(Unnamed+"%d", i+1)
		}
	}
	return out
}

// Given tells findings about hosts whose names Provisional made up as findings about the file: by the host's address, and its line.
func (c *Cluster) Given(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	for i := len(c.Hosts) - 1; i >= 0; i-- { // from the end: the name of the first begins that of the tenth
		h, name := c.Hosts[i], fmt.Sprintf(Unnamed+"%d", i+1)
		if h.Hostname != "" {
			continue
		}
		for n := range ds {
			d := &ds[n]
			if d.Subject == name {
				d.Subject = c.at(h.Line)
				if !strings.Contains(d.Summary+d.Detail, h.Address) {
					d.Detail = strings.TrimSpace("The host is that at " + h.Address + ".\n" + d.Detail)
				}
			}
			for _, text := range []*string{&d.Summary, &d.Detail, &d.Hint} {
				*text = strings.ReplaceAll(*text, name, h.Address)
			}
		}
	}
	return ds
}

// Declared is what the document itself says. What it lacks is an error: no machine may be asked.
func (c *Cluster) Declared() (Learnt, lifecycle.Diagnostics) {
	out := Learnt{Hosts: make([]LearntHost, len(c.Hosts))}
	var ds lifecycle.Diagnostics
	if c.Version == "" {
		ds = append(ds, c.problem(0, "the document does not say which k0s version", "The machines know, and are not to be asked.",
			"Leave --offline out, or set spec.k0s.version to what they run."))
	}
	for i, h := range c.Hosts {
		if out.Hosts[i].Name = h.Hostname; h.Hostname == "" {
			ds = append(ds, c.problem(h.Line, "the host has no hostname",
				"Its node's name must be known; the machine knows it, and is not to be asked.",
				"Leave --offline out, or set hostname to what `hostname` prints on "+h.Address+"."))
		}
	}
	return out, ds
}

// Learn takes from what was observed of the machines what the document leaves open. The hosts of state have the names of Provisional.
func (c *Cluster) Learn(state lifecycle.State) (Learnt, lifecycle.Diagnostics) {
	provisional := c.Provisional()
	out := Learnt{Hosts: make([]LearntHost, len(c.Hosts))}
	var ds lifecycle.Diagnostics
	versions := map[string][]string{}
	for i, h := range c.Hosts {
		at := slices.IndexFunc(state.Hosts, func(s lifecycle.HostState) bool { return s.Name == strings.ToLower(provisional.Hosts[i].Name) })
		if at < 0 || !state.Hosts[at].Reached() {
			why := "it was not asked"
			if at >= 0 {
				why = state.Hosts[at].Why
			}
			ds = append(ds, c.problem(h.Line, h.Address+" does not tell what it is", why,
				"Mend that and run the same command again, or say everything in the file and use --offline."))
			continue
		}
		s := state.Hosts[at]
		out.Hosts[i] = learnHost(h, s)
		ds = append(ds, c.doubts(h, s, out.Hosts[i].Name, state)...)
		if v := s.Running; s.Installed() && !v.IsZero() {
			versions[v.String()] = append(versions[v.String()], out.Hosts[i].Name)
		}
	}
	if ds.Err() != nil {
		return out, ds
	}
	version, found := c.learnVersion(versions)
	out.Version = version
	return out, append(ds, found...)
}

// learnHost: a node is called as its kubelet is told, else as the machine calls itself (H20). A worker's private address is the one that
// its kubelet is told, a controller's the one that etcd is told: k0sctl looks for one by itself. Etcd is told the address of ssh where
// there is no other; a kubelet that is told it must be told it again, or its arguments are others, and it is set up anew.
func learnHost(h Host, s lifecycle.HostState) LearntHost {
	out := LearntHost{Name: h.Hostname}
	if out.Name == "" {
		out.Name = kubeletFlag(s, "--hostname-override")
	}
	if out.Name == "" {
		out.Name = s.Hostname
	}
	if h.Program == "" { // k0sctl goes by the distribution, and says so nowhere
		switch {
		case s.Installed() && s.Program != "" && s.Program != usualProgram:
			out.Program = s.Program
		case !s.Installed() && s.ReadOnlyUsr():
			out.Program = lifecycle.FlatcarProgram
		}
	}
	if h.PrivateAddress != "" {
		return out
	}
	if a := peerAddress(s.Config); a != h.Address {
		out.PrivateAddress = a
	}
	out.PrivateAddress = cmp.Or(out.PrivateAddress, kubeletFlag(s, "--node-ip"))
	return out
}

func kubeletFlag(s lifecycle.HostState, flag string) string {
	for _, a := range s.Arguments {
		words, ok := strings.CutPrefix(a, "--kubelet-extra-args=")
		if !ok {
			continue
		}
		for _, w := range strings.Fields(words) {
			if v, ok := strings.CutPrefix(w, flag+"="); ok {
				return v
			}
		}
	}
	return ""
}

func peerAddress(config []byte) string {
	var c struct {
		Spec struct {
			Storage struct {
				Etcd struct {
					PeerAddress string `json:"peerAddress"`
				} `json:"etcd"`
			} `json:"storage"`
		} `json:"spec"`
	}
	if json.Unmarshal(config, &c) != nil {
		return "" // none, or not k0s's: the plan will say so
	}
	return c.Spec.Storage.Etcd.PeerAddress
}

// doubts are what makes a machine another than the document's.
func (c *Cluster) doubts(h Host, s lifecycle.HostState, name string, state lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	warn := func(summary, detail, hint string) {
		ds = append(ds, lifecycle.Warnf(c.at(h.Line), "%s", summary).Because(detail).Try(hint))
	}
	if !s.Installed() {
		warn(h.Address+" runs no k0s", "The plan will let it join.", "Remove it from the overlay if it is not to be a member.")
		return ds
	}
	if s.Hostname != "" && !strings.EqualFold(name, s.Hostname) {
		warn(fmt.Sprintf("the machine calls itself %s, and its node is %s", s.Hostname, name),
			"Nothing is planned for a site while one of its machines has two names.",
			"Set the machine's hostname to "+name+".")
	}
	known := state.API.Unknown == "" && !state.API.NotYet
	if known && h.Role.RunsWorkloads() && !slices.ContainsFunc(state.Nodes,
		func(n lifecycle.NodeState) bool { return n.Name == strings.ToLower(name) }) {
		ds = append(ds, c.problem(h.Line, fmt.Sprintf("no node of the cluster is called %s", name),
			"The machine calls itself so, or the document does.",
			"Set hostname to the name of its node (`kubectl get nodes -o wide`)."))
	}
	return ds
}

// learnVersion is the version that runs, where the document does not say it.
func (c *Cluster) learnVersion(running map[string][]string) (string, lifecycle.Diagnostics) {
	var all []string
	for v, hosts := range running {
		all = append(all, v+" on "+strings.Join(hosts, ", "))
	}
	slices.Sort(all)
	switch {
	case c.Version != "" && len(all) > 0 && (len(all) > 1 || len(running[c.Version]) == 0):
		return "", lifecycle.Diagnostics{lifecycle.Warnf(c.file, "the machines do not all run %s", c.Version).
			Because(all...).
			Try("The plan will be to bring them there.")}
	case c.Version != "":
		return "", nil
	case len(all) == 1:
		for v := range running {
			return v, nil
		}
	}
	return "", lifecycle.Diagnostics{c.problem(0, "which k0s version the cluster is to have is not known",
		"The document does not say, and the machines run: "+strings.Join(all, "; ")+".",
		"Set spec.k0s.version.")}
}
