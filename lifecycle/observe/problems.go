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
		ds = append(ds, hostProblems(site, h)...)
	}
	ds = append(ds, apiProblems(site, st)...)
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

func hostProblems(site lifecycle.Site, h lifecycle.HostState) lifecycle.Diagnostics {
	plan := fmt.Sprintf("kiban plan %s", site.Name)
	switch {
	case !h.Reached():
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: h.Name, Summary: problemText(h.Problem), Detail: h.Why}}
	case !h.Installed():
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: h.Name, Summary: "k0s is not set up here yet", Hint: plan}}
	case h.Service != lifecycle.ServiceRunning:
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: h.Name, Summary: fmt.Sprintf("%s is %s", h.Unit, h.Service), Hint: plan}}
	case h.Running.IsZero():
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: h.Name, Summary: "the k0s service runs, but `k0s status` does not answer"}}
	case h.Running != site.Cluster.Version:
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: h.Name, Hint: plan,
			Summary: fmt.Sprintf("runs k0s %s; %s is declared", h.Running, site.Cluster.Version)}}
	}
	return nil
}

func problemText(p lifecycle.HostProblem) string {
	switch p {
	case lifecycle.HostUnreachable:
		return "not reached"
	case lifecycle.HostKeyUnknown:
		return "its SSH host key is not the known one"
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
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: site.Name, Summary: "there is no cluster yet", Hint: "kiban plan " + site.Name}}
	case st.API.Unknown != "":
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the Kubernetes API did not answer", Detail: st.API.Unknown}}
	}
	var ds lifecycle.Diagnostics
	for _, s := range st.API.Servers {
		if !s.Ready {
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: s.Host, Summary: "its API server is not ready", Detail: s.Why})
		}
	}
	return ds
}

func nodeProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, n := range st.Nodes {
		if !n.Ready {
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: n.Name, Summary: "the node is not Ready", Detail: n.Why})
		}
		switch {
		case !n.Unschedulable:
		case n.Mark.IsZero():
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: n.Name, Summary: "cordoned by an administrator; kiban leaves it so"})
		case n.Mark.Maintenance():
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: n.Name, Summary: "in maintenance: " + n.Mark.Reason,
				Hint: "When it is done: kiban node uncordon " + site.Name + " " + n.Name})
		default:
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: n.Name, Detail: n.Mark.Reason, Hint: "kiban plan " + site.Name,
				Summary: "cordoned by kiban's run " + n.Mark.Run})
		}
		if _, declared := site.Cluster.Host(n.Name); !declared && site.Provider != lifecycle.ProviderExternal {
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: n.Name, Summary: "the node is in the cluster, but the site does not declare it"})
		}
	}
	for _, h := range site.Cluster.Hosts {
		if hs, _ := st.Host(h.Name); !h.Role.RunsWorkloads() || h.Reset || !hs.Installed() {
			continue
		}
		if _, ok := st.Node(h.Name); !ok {
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: h.Name, Summary: "k0s is set up here, but the cluster has no such node"})
		}
	}
	return ds
}

func etcdProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	if st.Etcd.Unknown != "" {
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the etcd members are not known", Detail: st.Etcd.Unknown}}
	}
	if n, want := len(st.Etcd.Members), len(site.Cluster.Controllers()); n != 0 && n != want && site.Provider != lifecycle.ProviderExternal {
		return lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: site.Name,
			Summary: fmt.Sprintf("etcd has %s, and %s declared", lifecycle.Count(n, "member"), isAre(want, "controller"))}}
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
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: name, Detail: owner(b),
				Summary: fmt.Sprintf("the disruption budget (%s) can never allow an eviction", b.Rule)})
		case b.Healthy < b.Desired:
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: name, Detail: owner(b),
				Summary: fmt.Sprintf("%d of %d pods are healthy; the disruption budget wants %d", b.Healthy, b.Expected, b.Desired)})
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
