package site

import "kiban.dev/kiban/lifecycle"

// Compared is what CheckFleet reads of a site, and nothing else of it: thousands of such fit into memory, and into a file.
func Compared(s lifecycle.Site) lifecycle.Site {
	out := lifecycle.Site{Name: s.Name, Dir: s.Dir, Wave: s.Wave, Provider: s.Provider}
	out.Promotion.From, out.Promotion.Source = s.Promotion.From, s.Promotion.Source
	out.Cluster.Name = s.Cluster.Name
	for _, h := range s.Cluster.Hosts {
		out.Cluster.Hosts = append(out.Cluster.Hosts, lifecycle.Host{Name: h.Name, Address: h.Address, Port: h.Port, Source: h.Source})
	}
	for _, a := range s.Addons {
		slim := lifecycle.Addon{Source: a.Source, Objects: pools(a.Objects)}
		if a.Chart != nil {
			slim.Chart = &lifecycle.Chart{Name: a.Chart.Name}
		}
		out.Addons = append(out.Addons, slim)
	}
	out.Objects = pools(s.Objects)
	return out
}

// pools are the documents among them that say which addresses a site gives out.
func pools(docs []lifecycle.Document) []lifecycle.Document {
	var out []lifecycle.Document
	for _, d := range docs {
		if d.Kind == kindPool {
			out = append(out, d)
		}
	}
	return out
}
