package forge

import (
	"regexp"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// plainName is what a folder must be called to be a site whose name a script and a job can bear.
var plainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// PipelineSites are the jobs' sites, with those that they wait for: load reads one of these, as far as it can be read. A name that no
// job can bear is an error: it would become part of a script.
func PipelineSites(sites []lifecycle.Site, load func(name string) lifecycle.Site) ([]lifecycle.PipelineSite, error) {
	var out []lifecycle.PipelineSite
	for _, s := range sites {
		site := pipelineSite(s)
		for _, name := range s.Promotion.From {
			from := load(name)
			from.Name = name
			site.From = append(site.From, pipelineSite(from))
		}
		for _, named := range append([]lifecycle.PipelineSite{site}, site.From...) {
			if !plainName.MatchString(named.Name) {
				return nil, lifecycle.Errorf("overlays/"+named.Name, "a site's folder has a name that no job can bear").
					Try("Use small letters, digits, - and dots between them.")
			}
		}
		out = append(out, site)
	}
	return out, nil
}

func pipelineSite(s lifecycle.Site) lifecycle.PipelineSite {
	return lifecycle.PipelineSite{Name: s.Name, Wave: s.Wave, Tier: s.Labels["tier"]}
}

// PipelineGone leaves of the sites whose overlay is gone those whose names a job can bear: the others never had one.
func PipelineGone(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !plainName.MatchString(name) })
}
