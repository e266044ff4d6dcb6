package readiness

import (
	"cmp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// definitions finds versions of an addon's own kinds that the cluster serves and that the declared addon no longer defines. Whoever asks
// for them gets an error once the addon is applied, and documents of the repository that are of them are refused. A version in which
// objects are stored can't be left out at all: the API refuses that definition when a plan tries it, and the plan says so.
func definitions(in Input, r *report) {
	served := byKind(in.State.API.Capabilities.APIs)
	if len(served) == 0 {
		return // it is told of the API already that it does not answer
	}
	kinds := 0
	for _, u := range in.State.Units {
		name, isAddon := strings.CutPrefix(u.Name, lifecycle.UnitAddon)
		if !isAddon || !u.Declared || u.Unknown != "" {
			continue
		}
		declared := byKind(u.Serves)
		for _, kind := range sortedKinds(declared) {
			kinds++
			for _, version := range served[kind] {
				if slices.Contains(declared[kind], version) {
					continue
				}
				r.find(lost(in.Site, u, name, kind, version, declared[kind]))
			}
		}
	}
	if kinds > 0 {
		r.looked(lifecycle.Count(kinds, "definition"))
	}
}

// groupKind is a kind in its group, whatever the version.
type groupKind struct{ group, kind string }

// byKind are versions by kind, out of "group/version/Kind".
func byKind(apis []string) map[groupKind][]string {
	out := map[groupKind][]string{}
	for _, api := range apis {
		if parts := strings.Split(api, "/"); len(parts) == 3 {
			k := groupKind{parts[0], parts[2]}
			if !slices.Contains(out[k], parts[1]) {
				out[k] = append(out[k], parts[1])
			}
		}
	}
	return out
}

func sortedKinds(m map[groupKind][]string) []groupKind {
	var out []groupKind
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b groupKind) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.kind, b.kind)) })
	return out
}

// lost is the finding on one version of one kind.
func lost(site lifecycle.Site, u lifecycle.UnitState, addon string, k groupKind, version string, left []string) lifecycle.ReadinessFinding {
	api := k.group + "/" + version
	f := lifecycle.ReadinessFinding{Rule: "definition", Rank: lifecycle.RankAttention, Subject: api + " " + k.kind, Owner: "addon " + addon,
		Summary: "addon " + addon + " no longer serves " + api + " " + k.kind + ", and the cluster does",
		Seen:    []string{"declared: " + strings.TrimSpace(u.Chart+" "+u.Version) + ", which serves " + strings.Join(left, ", ")},
		Remedy:  "See that nobody asks for it any more, then apply the addon. What is left is " + k.group + "/" + left[len(left)-1] + "."}
	if f.Source = whereAddon(site, addon, "spec.chart.version"); u.Chart == "" {
		f.Source = cmp.Or(definedAt(site, addon, k), whereAddon(site, addon, "spec.manifests"))
		f.Seen = []string{"declared: manifests that serve " + strings.Join(left, ", ")}
	}
	f.Seen[0] += bracketed(f.Source)
	var uses []string
	for _, d := range documents(site) {
		if d.APIVersion == api && d.Kind == k.kind {
			uses = append(uses, strings.TrimPrefix(d.Namespace+"/"+d.Name, "/")+bracketed(d.Source))
		}
	}
	if len(uses) > 0 {
		f.Rank = lifecycle.RankBlocks
		f.Seen = append(f.Seen, "declared in it: "+lifecycle.Few(uses))
		f.Remedy = "Write these documents in " + k.group + "/" + left[len(left)-1] + ", and merge that before or together with the addon."
	}
	return f
}

// documents are those of the repository that are applied as they are written.
func documents(site lifecycle.Site) []lifecycle.Document {
	out := slices.Clone(site.Objects)
	for _, a := range site.Addons {
		out = append(out, a.Objects...)
	}
	return out
}

// definedAt is the line of the definition of a kind among an addon's manifests; "" where it is not there, such as behind a URL.
func definedAt(site lifecycle.Site, addon string, k groupKind) string {
	for _, a := range site.Addons {
		for _, d := range a.Objects {
			plural, isOfGroup := strings.CutSuffix(d.Name, "."+k.group)
			kind := strings.ToLower(k.kind)
			likely := isOfGroup && strings.HasPrefix(plural, kind[:max(len(kind)-1, 0)])
			if a.Name == addon && d.Kind == "CustomResourceDefinition" && likely {
				return d.Source // "policies" begins as "policy" does, but for its last letter
			}
		}
	}
	return ""
}
