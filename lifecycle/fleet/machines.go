package fleet

import (
	"cmp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// machines are the site's, in their declared order.
func machines(site lifecycle.Site, st lifecycle.State) []Machine {
	out := []Machine{}
	for _, h := range site.Cluster.Hosts {
		m := Machine{Name: h.Name, Role: h.Role}
		s, seen := st.Host(h.Name)
		switch {
		case !seen:
			m.Problem = "it was not asked"
		case !s.Reached():
			m.Problem = lifecycle.OneLine(cmp.Or(s.Why, string(s.Problem)))
		default:
			m.OS, m.Kernel, m.Arch, m.Version = s.OS, s.Kernel, s.Arch, s.Running
		}
		out = append(out, m)
	}
	return out
}

// addons are what is installed beside Kubernetes, sorted by name.
func (a Asking) addons(site lifecycle.Site, st lifecycle.State) Part[[]InstalledAddon] {
	switch {
	case st.API.NotYet:
		return Part[[]InstalledAddon]{Unknown: "there is no cluster yet"}
	case st.API.Unknown != "":
		return Part[[]InstalledAddon]{Unknown: "the API did not answer: " + lifecycle.OneLine(st.API.Unknown)}
	case st.Units == nil && len(site.Addons) > 0:
		return Part[[]InstalledAddon]{Unknown: "they were not looked at"}
	}
	out := []InstalledAddon{}
	for _, u := range st.Units {
		name, is := strings.CutPrefix(u.Name, lifecycle.UnitAddon)
		if !is {
			continue
		}
		one := InstalledAddon{Name: name, Version: u.Release.Version, Installed: u.Installed, Declared: u.Declared,
			Unknown: lifecycle.OneLine(u.Unknown)}
		if u.Unknown == "" {
			one.Well = u.Installed && u.Health.IsWell()
			one.Why = lifecycle.OneLine(u.Health.Why)
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y InstalledAddon) int { return strings.Compare(x.Name, y.Name) })
	return known(a, out)
}

// certificates are, of each machine, the one that ends first of those that are renewed in the same way; the first to end first.
func (a Asking) certificates(site lifecycle.Site, st lifecycle.State) Part[[]HostCertificate] {
	if len(site.Cluster.Hosts) == 0 {
		return Part[[]HostCertificate]{Unknown: "somebody else runs its machines"}
	}
	out, reached := []HostCertificate{}, 0
	for _, h := range st.Hosts {
		if h.Reached() {
			reached++
		}
		soonest := map[lifecycle.Renewal]lifecycle.Certificate{}
		for _, c := range h.Certificates {
			if s, has := soonest[c.Renewed]; !has || c.NotAfter.Before(s.NotAfter) || c.NotAfter.Equal(s.NotAfter) && c.Name < s.Name {
				soonest[c.Renewed] = c
			}
		}
		for _, c := range soonest {
			out = append(out, HostCertificate{Host: h.Name, Certificate: c})
		}
	}
	if reached == 0 {
		return Part[[]HostCertificate]{Unknown: "no machine answered"}
	}
	slices.SortFunc(out, func(x, y HostCertificate) int {
		return cmp.Or(x.NotAfter.Compare(y.NotAfter), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Name, y.Name))
	})
	return known(a, out)
}

// componentsDir is where a fleet keeps what sites are built with.
const componentsDir = "clusters/components/"

// Declares is what the repository says of a site, in short. reads are the files and folders that it is made of.
func Declares(site lifecycle.Site, reads []string) Declaration {
	d := Declaration{Revision: site.Revision, Digest: site.Digest, Wave: site.Wave, Labels: site.Labels, Provider: site.Provider,
		Version: site.Cluster.Version, Controllers: len(site.Cluster.Controllers()), Workers: len(site.Cluster.Workers()),
		Promotion: site.Promotion, ControlPlane: site.Policy.ControlPlane, Windows: site.Policy.Windows, Proven: site.Backup.Proven}
	for _, file := range reads {
		if below, is := strings.CutPrefix(file, componentsDir); is {
			name, _, _ := strings.Cut(below, "/")
			d.Components = append(d.Components, name)
		}
	}
	slices.Sort(d.Components)
	d.Components = slices.Compact(d.Components)
	for _, a := range site.Addons {
		one := DeclaredAddon{Name: a.Name}
		if a.Chart != nil {
			one.Chart, one.Version = a.Chart.Name, a.Chart.Version
		}
		d.Addons = append(d.Addons, one)
	}
	for _, t := range site.Tenants {
		d.Tenants = append(d.Tenants, t.Name)
	}
	for _, to := range site.Backup.To {
		d.BackupTo = append(d.BackupTo, to.String())
	}
	return d
}
