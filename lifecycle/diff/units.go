package diff

import (
	"encoding/json"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// addons compares addons by name. The objects that are tied to them are among the objects.
func addons(from, to Declaration) []lifecycle.DeclaredChange {
	var out []lifecycle.DeclaredChange
	pair(from.Site.Addons, to.Site.Addons, func(a lifecycle.Addon) string { return a.Name },
		func(x, y lifecycle.Addon) {
			subject := "addon " + x.Name
			out = append(out, fields(subject, "", addonFields(x), addonFields(y), open)...)
			out = append(out, fields(subject, "chart.values", values(x), values(y), guarded)...)
			out = append(out, fields(subject, "content", contents(x, from.Files), contents(y, to.Files), open)...)
		},
		func(gone bool, a lifecycle.Addon) {
			if gone {
				out = append(out, whole("addon "+a.Name, source(a), ""))
				return
			}
			out = append(out, whole("addon "+a.Name, "", source(a)))
		})
	return out
}

func addonFields(a lifecycle.Addon) any {
	m := plain(a).(map[string]any)
	delete(m, "objects")
	if secrets, ok := m["secrets"].([]any); ok { // a list of one is still known by name
		byName := map[string]any{}
		for i, s := range a.Secrets {
			byName[s.Name] = secrets[i]
		}
		m["secrets"] = byName
	}
	return m
}

func values(a lifecycle.Addon) any {
	out := map[string]any{}
	if a.Chart != nil && len(a.Chart.Values) > 0 {
		_ = json.Unmarshal(a.Chart.Values, &out) // it is JSON that kiban wrote; else there are none to compare
	}
	return out
}

// contents are the digests of the repository's files that an addon reads.
func contents(a lifecycle.Addon, files map[string]string) map[string]any {
	out := map[string]any{}
	for name, sum := range files {
		ofChart := a.Chart != nil && strings.HasPrefix(name, strings.TrimSuffix(a.Chart.Repo, "/")+"/"+a.Chart.Name)
		for _, m := range a.Manifests {
			ofChart = ofChart || m == name
		}
		if ofChart {
			out[name] = sum
		}
	}
	return out
}

// source says what an addon is made of.
func source(a lifecycle.Addon) string {
	switch {
	case a.Chart != nil:
		return fmt.Sprintf("chart %s %s", a.Chart.Name, a.Chart.Version)
	case len(a.Manifests) == 1:
		return a.Manifests[0]
	}
	return fmt.Sprintf("%d manifests", len(a.Manifests))
}

func tenants(from, to []lifecycle.Tenant) []lifecycle.DeclaredChange {
	var out []lifecycle.DeclaredChange
	pair(from, to, func(t lifecycle.Tenant) string { return t.Name },
		func(x, y lifecycle.Tenant) {
			out = append(out, fields("tenant "+x.Name, "", plain(x), plain(y), open)...)
		},
		func(gone bool, t lifecycle.Tenant) {
			var names []string
			for _, n := range t.Namespaces {
				names = append(names, n.Name)
			}
			what := "namespaces " + strings.Join(names, ", ")
			if len(names) == 1 {
				what = "namespace " + names[0]
			}
			if gone {
				c := whole("tenant "+t.Name, what, "")
				c.Note = "nothing of it is deleted without --prune-tenants"
				out = append(out, c)
				return
			}
			out = append(out, whole("tenant "+t.Name, "", what))
		})
	return out
}

// documents are all objects of a site, those that are tied to addons included.
func documents(s lifecycle.Site) []lifecycle.Document {
	out := append([]lifecycle.Document{}, s.Objects...)
	for _, a := range s.Addons {
		out = append(out, a.Objects...)
	}
	return out
}

func objects(from, to []lifecycle.Document) []lifecycle.DeclaredChange {
	var out []lifecycle.DeclaredChange
	ref := func(d lifecycle.Document) lifecycle.ObjectRef {
		return lifecycle.ObjectRef{APIVersion: d.APIVersion, Kind: d.Kind, Namespace: d.Namespace, Name: d.Name}
	}
	subject := func(d lifecycle.Document) string { return "object " + ref(d).String() }
	pair(from, to, func(d lifecycle.Document) string { return ref(d).Group() + " " + ref(d).String() },
		func(x, y lifecycle.Document) {
			out = append(out, fields(subject(x), "", document(x.YAML), document(y.YAML), objectMask(y.Kind, y.APIVersion))...)
		},
		func(gone bool, d lifecycle.Document) {
			if gone {
				out = append(out, whole(subject(d), d.APIVersion, ""))
				return
			}
			out = append(out, whole(subject(d), "", d.APIVersion))
		})
	return out
}
