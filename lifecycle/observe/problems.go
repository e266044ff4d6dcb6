package observe

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// Problems picks out of a state what an operator should know: what is down, what differs from the declaration, what is cordoned and by
// whom. A site that is as declared and well has none.
func Problems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, h := range st.Hosts {
		ds = append(ds, hostProblems(site, st, h)...)
		ds = append(ds, roomProblems(site, h)...)
		ds = append(ds, h.Doubts...)
		ds = append(ds, clockProblems(h)...)
		ds = append(ds, h.EndingCertificates(site.Name, st.ObservedAt, false)...)
	}
	ds = append(ds, apiProblems(site, st)...)
	ds = append(ds, pinProblems(site, st)...)
	ds = append(ds, etcdRoom(site, st)...)
	if d, other := site.OtherCluster(st.API.ClusterUID, st.API.Site); other {
		ds = append(ds, d) // what is missing in it says nothing of the site
	} else if st.API.Unknown == "" && !st.API.NotYet {
		ds = append(ds, nodeProblems(site, st)...)
		ds = append(ds, etcdProblems(site, st)...)
		ds = append(ds, budgetProblems(st)...)
		ds = append(ds, unitProblems(site, st)...)
	}
	ds.Sort()
	return ds
}

// pinProblems says how a control plane stands that is between two versions. A soak that is well is no problem: the headline tells it.
func pinProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	pin := st.Past.Pinned.Value
	switch d, cutOff := pin.CutOff(site, st); {
	case cutOff:
		return lifecycle.Diagnostics{d}
	case !pin.Open():
	case pin.AllBack(site, st):
		return lifecycle.Diagnostics{pin.AtFormer(site)}
	case (!pin.Soaks.IsZero() || pin.Rolled(site, st)) && pin.SoaksWell(site, st) == nil:
		return lifecycle.Diagnostics{pin.Soaking(site, st, "Backups that lead back: kiban backup list "+site.Name+".")}
	}
	return nil
}

func hostProblems(site lifecycle.Site, st lifecycle.State, h lifecycle.HostState) lifecycle.Diagnostics {
	plan := fmt.Sprintf("kiban plan %s", site.Name)
	switch {
	case !h.Reached():
		d := lifecycle.Errorf(h.Name, "%s", problemText(h.Problem)).Because(h.Why)
		declared, _ := site.Cluster.Host(h.Name)
		if way := h.Problem.WayIn(site.Name, h.Name, declared.User); way != "" {
			d = d.Try(way)
		} else if h.Problem == lifecycle.HostUnreachable {
			d = d.Try(lifecycle.WayBack(site, st, h.Name))
		}
		return lifecycle.Diagnostics{d}
	case !h.Installed():
		return lifecycle.Diagnostics{lifecycle.Warnf(h.Name, "k0s is not set up here yet").Try(plan)}
	case h.Service != lifecycle.ServiceRunning:
		d := lifecycle.Errorf(h.Name, "%s is %s", h.ServiceName, h.Service).Try(plan)
		if h.CrashLoops() {
			d = d.Because("k0s does not stay up: " + h.GivenUp()).Try(lookAt(site, h.Name) + " says why; " + plan + " says what would be done.")
		}
		return lifecycle.Diagnostics{d}
	case h.Running.IsZero():
		return lifecycle.Diagnostics{lifecycle.Errorf(h.Name, "the k0s service runs, but `k0s status` does not answer").
			Try(lookAt(site, h.Name))}
	case h.Running != site.Cluster.Version:
		if declared, ok := site.Cluster.Host(h.Name); ok && st.Past.Pinned.Value.Waits(site, declared, h.Running) {
			return nil
		}
		return lifecycle.Diagnostics{lifecycle.Warnf(h.Name, "runs k0s %s; %s is declared", h.Running, site.Cluster.Version).Try(plan)}
	}
	return nil
}

// clockProblems says that a machine's clock is off: no plan goes on with it.
func clockProblems(h lifecycle.HostState) lifecycle.Diagnostics {
	if !h.Reached() || !h.ClockOff() {
		return nil
	}
	return lifecycle.Diagnostics{lifecycle.Errorf(h.Name, "its clock is off by %d s", h.ClockOffset).
		Because("Certificates, leases and heartbeats are judged by the clock: apply changes nothing until it is right. kiban node works on, " +
			"to mend it.").
		Try("Let it synchronise its clock (chrony, systemd-timesyncd).")}
}

// lookAt is where the machine's k0s says what ails it.
func lookAt(site lifecycle.Site, host string) string {
	return fmt.Sprintf("kiban node logs %s %s", site.Name, host)
}

// roomProblems says which of a machine's filesystems are full. What k0s, etcd and the kubelet can't write shows late, and elsewhere.
func roomProblems(site lifecycle.Site, h lifecycle.HostState) (ds lifecycle.Diagnostics) {
	for _, full := range h.Full {
		ds = append(ds, lifecycle.Errorf(h.Name, "the filesystem %s is full, or nearly so", full).
			Because(fmt.Sprintf("Less than %d MiB are free there, where k0s keeps its program or its data.", lifecycle.LeastRoom>>20)).
			Try(fmt.Sprintf("Make room: kiban ssh %s %s -- sudo du -xhd2 %s", site.Name, h.Name, full)))
	}
	return ds
}

func problemText(p lifecycle.HostProblem) string {
	switch p {
	case lifecycle.HostUnreachable:
		return "not reached"
	case lifecycle.HostKeyUnknown:
		return "its SSH host key is not the known one"
	case lifecycle.HostNoKeys:
		return "this computer has no known_hosts file of the site"
	case lifecycle.HostNoLogin:
		return "this computer has nothing to log in with"
	case lifecycle.HostAuth:
		return "it refused the SSH user or key"
	case lifecycle.HostSudo:
		return "the SSH user may not become root"
	}
	return "it answered, but not with facts"
}

func apiProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	switch {
	case st.API.NotYet:
		if lost, ok := lifecycle.Lost(site, st); ok {
			return lifecycle.Diagnostics{lost.Finding(site, st.Past)}
		}
		return lifecycle.Diagnostics{lifecycle.Warnf(site.Name, "there is no cluster yet").Try("kiban plan " + site.Name)}
	case st.ShutOut(site): // what keeps kiban out of the controllers is said of them; how the API is, is not known
		return nil
	case st.API.Unknown != "":
		if q, lost := lifecycle.LostQuorum(site, st); lost {
			return lifecycle.Diagnostics{q.Finding(site, st)}
		}
		d := lifecycle.Errorf(site.Name, "the Kubernetes API did not answer").Because(st.API.Unknown)
		if site.Provider != lifecycle.ProviderExternal {
			d = d.Try("kiban plan " + site.Name + " says what would bring it back.")
		}
		return lifecycle.Diagnostics{d}
	}
	var ds lifecycle.Diagnostics
	for _, s := range st.API.Servers {
		if h, ok := st.Host(s.Host); !s.Ready && !(ok && !h.Reached()) { // of one that is not reached, that is said
			ds = append(ds, lifecycle.Errorf(s.Host, "its API server is not ready").Because(s.Why).Try(lookAt(site, s.Host)))
		}
	}
	return ds
}

func nodeProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, n := range st.Nodes {
		if !n.Ready {
			d := lifecycle.Errorf(n.Name, "the node is not Ready").Because(n.Why)
			if hs, _ := st.Host(n.Name); hs.Reached() && hs.Name != "" {
				d = d.Try(lookAt(site, n.Name)) // of one that does not answer, that is said
			}
			ds = append(ds, d)
		}
		switch {
		case !n.Unschedulable:
		case n.Mark.IsZero():
			ds = append(ds, lifecycle.Warnf(n.Name, "cordoned by an administrator; kiban leaves it so").
				Try("When whoever did it agrees: kubectl uncordon "+n.Name))
		case n.Mark.Maintenance():
			ds = append(ds, lifecycle.Warnf(n.Name, "in maintenance: %s", n.Mark.Reason).
				Try("When it is done: kiban node uncordon "+site.Name+" "+n.Name))
		default:
			ds = append(ds, lifecycle.Warnf(n.Name, "cordoned by kiban's run %s", n.Mark.Run).
				Because("Its reason then: "+n.Mark.Reason).
				Try("kiban plan "+site.Name))
		}
		if _, declared := site.Cluster.Host(n.Name); !declared && site.Provider != lifecycle.ProviderExternal {
			ds = append(ds, lifecycle.Warnf(n.Name, "the node is in the cluster, but the site does not declare it"))
		}
	}
	for _, h := range site.Cluster.Hosts {
		if hs, _ := st.Host(h.Name); !h.Role.RunsWorkloads() || h.Reset || !hs.Installed() {
			continue
		}
		if _, ok := st.Node(h.Name); !ok {
			ds = append(ds, lifecycle.Errorf(h.Name, "k0s is set up here, but the cluster has no such node"))
		}
	}
	return ds
}

// etcdRoom says what is wrong with etcd itself, by what its members say.
func etcdRoom(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, f := range st.EtcdFindings(site) {
		severity := lifecycle.SeverityWarning
		if f.Rank == lifecycle.RankBlocks {
			severity = lifecycle.SeverityError
		}
		ds = append(ds, f.Diagnostic(severity))
	}
	return ds.Together(st.Machine(site))
}

func etcdProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	if st.Etcd.Unknown != "" {
		return lifecycle.Diagnostics{lifecycle.Errorf(site.Name, "the etcd members are not known").Because(st.Etcd.Unknown)}
	}
	if n, want := len(st.Etcd.Members), len(site.Cluster.Controllers()); n != 0 && n != want && site.Provider != lifecycle.ProviderExternal {
		return lifecycle.Diagnostics{lifecycle.Warnf(site.Name, "etcd has %s, and %s declared", lifecycle.Count(n, "member"),
			isAre(want, "controller")).Try("kiban plan " + site.Name)}
	}
	return nil
}

func isAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return lifecycle.Count(n, noun) + " are"
}

func budgetProblems(st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, b := range st.Budgets {
		name := b.Namespace + "/" + b.Name
		switch {
		case b.Never():
			ds = append(ds, lifecycle.Warnf(name, "the disruption budget (%s) can never allow an eviction", b.Rule).Because(owner(b)))
		case b.Healthy < b.Desired:
			ds = append(ds, lifecycle.Warnf(name, "%d of %d pods are healthy; the disruption budget wants %d", b.Healthy, b.Expected, b.Desired).
				Because(owner(b)))
		}
	}
	return ds
}

func owner(b lifecycle.Budget) string {
	if b.Owner == "" {
		return ""
	}
	return "its pods belong to " + b.Owner
}
