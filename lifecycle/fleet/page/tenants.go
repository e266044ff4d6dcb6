package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// usage is what a tenant uses of a resource over all sites.
type usage struct{ used, hard float64 }

// tenant is a tenant over all sites.
type tenant struct {
	name       string
	sites      map[string]bool
	namespaces int
	// fullest is the largest share of a quota in one namespace, and where.
	fullest   float64
	resource  string
	namespace string
	at        site
	uses      map[string]usage
	missing   int
	// past: some of it is not as of now.
	past bool
}

// tenantsOf sums up what is known of the tenants.
func tenantsOf(sites []site) []*tenant {
	all := map[string]*tenant{}
	for _, s := range sites {
		v := look(s, s.Tenants)
		for _, u := range v.Value {
			t := all[u.Tenant]
			if t == nil {
				t = &tenant{name: u.Tenant, sites: map[string]bool{}, uses: map[string]usage{}}
				all[u.Tenant] = t
			}
			t.add(s, u, v.Now)
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *tenant) int {
		return cmp.Or(cmp.Compare(b.fullest, a.fullest), cmp.Compare(a.name, b.name))
	})
}

func (t *tenant) add(s site, u lifecycle.TenantUse, now bool) {
	t.sites[s.Site] = true
	t.namespaces++
	t.past = t.past || !now
	if u.Missing {
		t.missing++
	}
	for _, r := range u.Resources {
		if r.Share > t.fullest {
			t.fullest, t.resource, t.namespace, t.at = r.Share, r.Name, u.Namespace, s
		}
		used, okUsed := quantity(r.Used)
		hard, okHard := quantity(r.Hard)
		if okUsed && okHard {
			sum := t.uses[r.Name]
			t.uses[r.Name] = usage{sum.used + used, sum.hard + hard}
		}
	}
}

// of is what the tenant uses of its quota of a resource.
func (t *tenant) of(resource string) Cell {
	u, ok := t.uses[resource]
	if !ok {
		return Cell{Text: "no quota", Key: numberKey(0)}
	}
	return Cell{Text: amount(resource, u.used) + " of " + amount(resource, u.hard) + percent(u.used, u.hard), Key: fmt.Sprintf("%020.3f",
		u.used)}
}

func percent(used, hard float64) string {
	if hard <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.0f\u00a0%%)", 100*used/hard)
}

// full is the fullest of a tenant's quotas.
func (t *tenant) full() Cell {
	if t.resource == "" {
		return Cell{Text: "no quota", Key: numberKey(0)}
	}
	c := Cell{Text: fmt.Sprintf("%.0f %% of %s at %s, namespace %s", 100*t.fullest, t.resource, t.at.Site, t.namespace),
		Link: sitePage(t.at.Site),
		Key:  fmt.Sprintf("%012.4f", t.fullest), Mark: shareMark(t.fullest)}
	return c
}

func shareMark(share float64) Mark {
	switch {
	case share >= 0.95:
		return MarkBad
	case share >= 0.8:
		return MarkOdd
	}
	return MarkNone
}

func tenantsPage(sites []site) Doc {
	d := Doc{File: "tenants.html", Title: "Who uses most of the quota?",
		Lead: []string{"Tenants over all sites, the one with the fullest quota first. Sums are over the sites whose use is known."}}
	resources := []string{"requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods"}
	t := &Table{Head: append([]string{"Tenant", "Sites", "Fullest quota"}, "CPU requested", "Memory requested", "CPU limits",
		"Memory limits", "Pods"),
		Empty: "No tenant is known.", Search: true}
	all := tenantsOf(sites)
	for _, one := range all {
		row := []Cell{{Text: one.name}, {Text: fmt.Sprint(len(one.sites)), Key: numberKey(len(one.sites))}, one.full()}
		if one.past {
			row[0].Text += " (some of it of earlier)"
		}
		for _, r := range resources {
			row = append(row, one.of(r))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Caption = lifecycle.Count(len(all), "tenant")
	unknown := 0
	for _, s := range sites {
		if !look(s, s.Tenants).Ever {
			unknown++
		}
	}
	if unknown > 0 {
		d.Lead = append(d.Lead, "What tenants use is not known of "+lifecycle.Count(unknown, "site")+".")
	}
	d.Sections = []Section{{ID: "tenants", Title: "Tenants", Table: t}, fullQuotas(sites)}
	return d
}

// quotasShown is how many of the fullest quotas are listed.
const quotasShown = 200

// fullQuotas are the fullest quotas of single namespaces.
func fullQuotas(sites []site) Section {
	type quota struct {
		s     site
		u     lifecycle.TenantUse
		r     lifecycle.ResourceUse
		isNow bool
	}
	var all []quota
	for _, s := range sites {
		v := look(s, s.Tenants)
		for _, u := range v.Value {
			for _, r := range u.Resources {
				if r.Share >= 0.8 {
					all = append(all, quota{s, u, r, v.Now})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b quota) int { return cmp.Compare(b.r.Share, a.r.Share) })
	t := &Table{Head: []string{"Tenant", "Site", "Namespace", "Resource", "Used", "Share"},
		Empty: "No quota is known to be more than 80 % used."}
	for _, q := range all[:min(len(all), quotasShown)] {
		mark := shareMark(q.r.Share)
		if !q.isNow {
			mark = MarkOld
		}
		t.Rows = append(t.Rows, []Cell{{Text: q.u.Tenant}, q.s.name(), {Text: q.u.Namespace}, {Text: q.r.Name}, {Text: q.r.Used + " of " +
			q.r.Hard},
			{Text: fmt.Sprintf("%.0f %%", 100*q.r.Share), Key: fmt.Sprintf("%012.4f", q.r.Share), Mark: mark}})
	}
	t.Caption = fmt.Sprintf("%d of %s that are at least 80 %% used", len(t.Rows), lifecycle.Count(len(all), "quota"))
	return Section{ID: "full", Title: "Quotas that are nearly full", Table: t}
}
