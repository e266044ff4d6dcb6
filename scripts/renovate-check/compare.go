package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// complete reports every version that a site has and Renovate does not find, and those that it finds only where they move other sites as
// well.
func complete(declares []declared, found []dependency) error {
	var errs []error
	for _, d := range declares {
		elsewhere := ""
		own := false
		for _, f := range found {
			if f.DepName != d.name || f.CurrentValue != d.version {
				continue
			}
			if strings.HasPrefix(f.File, "overlays/"+d.site+"/") {
				own = true
			} else if strings.HasPrefix(f.File, "clusters/") {
				elsewhere = f.File
			}
		}
		switch {
		case own:
		case elsewhere != "":
			errs = append(errs, fmt.Errorf("%s stands in %s only, so it would move with every other site; state it in overlays/%s", d, elsewhere,
				d.site))
		default:
			errs = append(errs, fmt.Errorf("%s is not found by Renovate", d))
		}
	}
	return errors.Join(errs...)
}

// pipeline reports what the check's own pipeline and the images of kiban name and Renovate does not find: versions that no site declares.
func pipeline(found []dependency) error {
	var errs []error
	for _, name := range []string{"golang", "busybox", "renovatebot/renovate"} {
		if !slices.ContainsFunc(found, func(d dependency) bool {
			return d.File == "Dockerfile" && strings.HasSuffix(d.DepName, name) && d.CurrentValue != ""
		}) {
			errs = append(errs, fmt.Errorf("Dockerfile: %s is not found by Renovate", name))
		}
	}
	for _, name := range []string{"gitlabci platform/kiban 1.2.3", "gitlabci /platform/kiban 1.2.3", "regex /platform/kiban 1.2.3",
		"regex /tools/helper 3.1.4", "regex k0sproject/k0sctl v0.25.1"} {
		want := strings.Fields(name)
		if !slices.ContainsFunc(found, func(d dependency) bool {
			return d.File == "templates/check.yml" && d.Manager == want[0] && strings.HasSuffix(d.DepName, want[1]) && d.CurrentValue == want[2]
		}) {
			errs = append(errs, fmt.Errorf("templates/check.yml: %s %s is not found by Renovate", want[1], want[2]))
		}
	}
	return errors.Join(errs...)
}

// tiers are the sites' own words for what they are, by site.
func tiers(declares []declared) map[string]string {
	out := map[string]string{}
	for _, d := range declares {
		out[d.site] = d.tier
	}
	return out
}

// tierOf says by whose policy a file's versions move.
func tierOf(file string, sites map[string]string) string {
	parts := strings.Split(file, "/")
	switch parts[0] {
	case "overlays":
		return sites[parts[1]]
	case "clusters":
		return "components"
	}
	return "pipeline"
}

// fill invents releases around every version that was found.
func (w world) fill(found []dependency) {
	for _, d := range found {
		current, ok := parse(d.CurrentValue)
		if !ok {
			continue
		}
		key := keyOf(d)
		for _, r := range around(current) {
			if !slices.ContainsFunc(w[key], func(have release) bool { return have.version == r.version }) {
				w[key] = append(w[key], r)
			}
		}
	}
}

// keyOf is the name that a registry knows a dependency by.
func keyOf(d dependency) string {
	name := d.PackageName
	if name == "" {
		name = d.DepName
	}
	if d.Datasource == "docker" { // the mock is the registry: the host in front of the name is another's
		if host, rest, ok := strings.Cut(name, "/"); ok && strings.ContainsAny(host, ".:") {
			name = rest
		} else if !ok {
			name = "library/" + name
		}
	}
	return d.Datasource + " " + name
}

// compare reports every difference between what Renovate proposes and what is expected of the policy; n counts what is proposed.
func compare(proposed []dependency, there world, sites map[string]string) (n int, err error) {
	var errs []error
	branches := map[string]string{}
	for _, d := range proposed {
		tier := tierOf(d.File, sites)
		want := expect(d, there[keyOf(d)], policyOf(tier, d))
		whose := path.Dir(d.File)
		if tier == "pipeline" {
			whose = tier // its files go together, wherever they are
		}
		var got []string
		for _, u := range d.Updates {
			got = append(got, u.NewValue)
			errs = append(errs, apart(branches, u.BranchName, whose))
		}
		n += len(got)
		for _, warning := range d.Warnings {
			errs = append(errs, fmt.Errorf("%s: %s %s: %s", d.File, d.DepName, d.CurrentValue, warning.Message))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			errs = append(errs, fmt.Errorf("%s: %s %s (%s)\n  expected %s\n  proposed %s", d.File, d.DepName, d.CurrentValue, tier, list(want),
				list(got)))
		}
	}
	if n == 0 {
		errs = append(errs, errors.New("nothing is proposed at all"))
	}
	return n, errors.Join(errs...)
}

// apart holds that no branch changes what is two folders': a site's merge request is about that site.
func apart(branches map[string]string, branch, whose string) error {
	if other, taken := branches[branch]; taken && other != whose {
		return fmt.Errorf("branch %s changes %s and %s", branch, other, whose)
	}
	branches[branch] = whose
	return nil
}

func list(versions []string) string {
	if len(versions) == 0 {
		return "nothing"
	}
	return strings.Join(versions, ", ")
}
