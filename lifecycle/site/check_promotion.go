package site

import (
	"cmp"
	"fmt"
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
	for _, s := range sites {
		there := neighbours(s, sites)
		add := func(summary, detail, hint string) {
			ds = append(ds, lifecycle.Errorf(cmp.Or(s.Promotion.Source, overlaysDir+"/"+s.Name), "%s", summary).
				Because(detail).
				Try(hint))
		}
		for _, from := range s.Promotion.From {
			i := slices.IndexFunc(sites, func(o lifecycle.Site) bool { return o.Name == from })
			switch {
			case from == "" || from == s.Name:
				// is the site's own finding
			case i < 0 && !slices.Contains(there, from):
				hint := "Name a site by its overlay folder."
				if near := overlay.Nearest(from, there); near != "" {
					hint = fmt.Sprintf("Did you mean %q?", near)
				}
				add(fmt.Sprintf("%s waits for a site that is not there: %s", s.Name, from), "It would never take another version.", hint)
			case i < 0:
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
	var ds lifecycle.Diagnostics
	for _, s := range sites {
		for _, from := range s.Promotion.From {
			if !slices.ContainsFunc(sites, func(o lifecycle.Site) bool { return o.Name == from }) {
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

// neighbours names the sites of a site's fleet, those that could not be read among them.
func neighbours(s lifecycle.Site, read []lifecycle.Site) []string {
	var names []string
	for _, o := range read {
		names = append(names, o.Name)
	}
	if listed, err := List(filepath.Dir(filepath.Dir(s.Dir))); err == nil && s.Dir != "" {
		names = append(names, listed...)
	}
	return names
}
