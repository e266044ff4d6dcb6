package site

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkPromotion holds that what a site waits for before it takes a version can come about.
func checkPromotion(p promotionSpec, name string) []finding {
	at := func(keys ...string) overlay.Place {
		return sitePlace(append([]string{"spec", "promotion"}, keys...)...)
	}
	var found []finding
	switch {
	case len(p.From) > 0 && p.Soak == 0:
		found = append(found, wrong(at("from"), "promotion says no soak", "Having run a version for no time at all proves nothing.",
			`Say how long they must have run it, healthy, such as "soak: 72h".`))
	case len(p.From) == 0 && p.Soak > 0:
		found = append(found, wrong(at("soak"), "promotion names no site to wait for", "Nothing would wait for this time.",
			`Name the sites that run a version first, such as "from: [tokyo-staging]", or remove it.`))
	}
	for i, from := range p.From {
		switch {
		case from == "":
			found = append(found, wrong(at("from", overlay.Index(i)), "promotion.from has an empty name", "", "Name a site by its overlay folder."))
		case from == name:
			found = append(found, wrong(at("from", overlay.Index(i)), "the site waits for itself",
				"It could never take a version that it does not run yet.", "Name a site of an earlier wave."))
		case slices.Index(p.From, from) < i:
			found = append(found, wrong(at("from", overlay.Index(i)), fmt.Sprintf("promotion.from names %s twice", from), "",
				"Name each site once."))
		}
	}
	return found
}

// checkFleetPromotion holds that the sites that others wait for are there, come before them, and can have what they wait for. A site that
// is there and could not be read has findings of its own.
func checkFleetPromotion(sites []lifecycle.Site) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	read := byName(sites)
	fleet := new(listing)
	for _, s := range sites {
		if len(s.Promotion.From) == 0 {
			continue
		}
		add := func(summary, detail, hint string) {
			ds = append(ds, lifecycle.Errorf(cmp.Or(s.Promotion.Source, overlaysDir+"/"+s.Name), "%s", summary).
				Because(detail).
				Try(hint))
		}
		for _, from := range s.Promotion.From {
			i, known := read[from]
			switch {
			case from == "" || from == s.Name:
				// is the site's own finding
			case !known && !fleet.has(s, from):
				hint := "Name a site by its overlay folder."
				if near := overlay.Nearest(from, append(slices.Sorted(maps.Keys(read)), fleet.of(s)...)); near != "" {
					hint = fmt.Sprintf("Did you mean %q?", near)
				}
				add(fmt.Sprintf("%s waits for a site that is not there: %s", s.Name, from), "It would never take another version.", hint)
			case !known:
			case sites[i].Wave >= s.Wave:
				add(fmt.Sprintf("%s waits for %s, which does not come before it", s.Name, from),
					fmt.Sprintf("%s is of wave %d, %s of wave %d: the pipeline applies the lower waves first.", from, sites[i].Wave, s.Name, s.Wave),
					fmt.Sprintf("Give %s a lower spec.wave than %s, or name another site.", from, s.Name))
			case sites[i].Provider == lifecycle.ProviderExternal && s.Provider != lifecycle.ProviderExternal:
				add(fmt.Sprintf("%s waits for %s, which never runs k0s", s.Name, from),
					fmt.Sprintf("The machines of %s are someone else's, so no version of k0s would ever be let through.", from),
					"Name a site whose machines kiban runs.")
			}
		}
	}
	return append(ds, checkFleetCharts(sites)...)
}

// checkFleetCharts warns of charts that a site waits for in vain: a site that it waits for does not have them.
func checkFleetCharts(sites []lifecycle.Site) lifecycle.Diagnostics {
	charts := map[string]bool{} // "site chart"
	for _, s := range sites {
		for _, a := range s.Addons {
			if a.Chart != nil {
				charts[s.Name+" "+a.Chart.Name] = true
			}
		}
	}
	read := byName(sites)
	var ds lifecycle.Diagnostics
	for _, s := range sites {
		for _, from := range s.Promotion.From {
			if _, known := read[from]; !known {
				continue
			}
			for _, a := range s.Addons {
				if a.Chart != nil && !charts[from+" "+a.Chart.Name] {
					ds = append(ds, lifecycle.Warnf(cmp.Or(a.Source, overlaysDir+"/"+s.Name), "%s has chart %s, and %s, which it waits for, has not",
						s.Name, a.Chart.Name, from).
						Because("No version of it would ever be let through.").
						Try(fmt.Sprintf("Give %s an addon of it, too.", from)))
				}
			}
		}
	}
	return ds
}

// byName finds sites by their names: where they are in the list.
func byName(sites []lifecycle.Site) map[string]int {
	at := make(map[string]int, len(sites))
	for i, s := range slices.Backward(sites) {
		at[s.Name] = i
	}
	return at
}

// listing are the sites of a fleet by their folders, those that could not be read among them. A fleet's folder is read once.
type listing map[string][]string

func (l *listing) of(s lifecycle.Site) []string {
	if s.Dir == "" {
		return nil
	}
	dir := filepath.Dir(filepath.Dir(s.Dir))
	names, known := (*l)[dir]
	if !known {
		names, _ = List(dir) // a folder that is no site is for whoever lists the fleet to say
		if *l == nil {
			*l = listing{}
		}
		(*l)[dir] = names
	}
	return names
}

func (l *listing) has(s lifecycle.Site, name string) bool { return slices.Contains(l.of(s), name) }
