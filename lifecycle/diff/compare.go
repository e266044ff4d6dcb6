package diff

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Declaration is a site, and what its documents name of the repository without holding it.
type Declaration struct {
	Site lifecycle.Site
	// Files are the digests of the manifests and charts of the repository that its addons read, by how their documents name them.
	Files map[string]string
}

// Same reports whether both are the same declaration: the same merged documents, lock file, files, and keys of hosts. It is what plans are
// bound to, so a comment in a document, which no build keeps, makes no difference.
func Same(from, to Declaration) bool {
	return from.Site.Digest == to.Site.Digest && maps.Equal(from.Files, to.Files) && maps.Equal(hostFiles(from.Site), hostFiles(to.Site)) &&
		maps.Equal(hostKeys(from.Site), hostKeys(to.Site))
}

// hostKeys are which keys the hosts are known by.
func hostKeys(s lifecycle.Site) map[string]string {
	out := map[string]string{}
	for _, h := range s.Cluster.Hosts {
		out[h.Name] = h.HostKeys
	}
	return out
}

// hostFiles are the digests of the hosts' files. Secrets are left out: they are no part of the repository.
func hostFiles(s lifecycle.Site) map[string]string {
	out := map[string]string{}
	for _, h := range s.Cluster.Hosts {
		for _, f := range h.Files {
			if !f.Secret {
				out[h.Name+" "+f.Path] = f.Digest
			}
		}
	}
	return out
}

// Compare lists what the second declaration changes of the first, in the order: what the fleet allows, site, k0s, its configuration, the
// rest of the cluster, hosts, addons, tenants, objects, lock file.
func Compare(from, to Declaration) []lifecycle.DeclaredChange {
	var out []lifecycle.DeclaredChange
	out = append(out, fleet(from.Site, to.Site)...)
	out = append(out, site(from.Site, to.Site)...)
	out = append(out, cluster(from.Site, to.Site)...)
	out = append(out, addons(from, to)...)
	out = append(out, tenants(from.Site.Tenants, to.Site.Tenants)...)
	out = append(out, objects(documents(from.Site), documents(to.Site))...)
	return append(out, pins(from.Site.Pins, to.Site.Pins)...)
}

// fields compares two values below a path.
func fields(subject, below string, from, to any, hide mask) []lifecycle.DeclaredChange {
	var out []lifecycle.DeclaredChange
	for _, d := range lifecycle.DiffFields(from, to) {
		c := lifecycle.DeclaredChange{Subject: subject, Path: join(below, d.Field), Kind: lifecycle.DeclaredChanged}
		switch {
		case !d.HasA:
			c.Kind = lifecycle.DeclaredAdded
		case !d.HasB:
			c.Kind = lifecycle.DeclaredRemoved
		}
		if d.HasA {
			c.From = text(hide(c.Path, d.A))
		}
		if d.HasB {
			c.To = text(hide(c.Path, d.B))
		}
		if c.From == c.To {
			c.Note = "the value is not shown, for it may be secret"
		}
		out = append(out, c)
	}
	return out
}

// value is one setting, by itself; zero is one that is not there.
func value[T comparable](subject, path string, from, to T) []lifecycle.DeclaredChange {
	var none T
	if from == to {
		return nil
	}
	a, b := map[string]any{}, map[string]any{}
	if from != none {
		a["v"] = plain(from)
	}
	if to != none {
		b["v"] = plain(to)
	}
	out := fields(subject, "", a, b, open)
	for i := range out {
		out[i].Path = path + strings.TrimPrefix(out[i].Path, "v")
	}
	return out
}

// whole says that something comes or goes, in words.
func whole(subject, was, is string) lifecycle.DeclaredChange {
	kind := lifecycle.DeclaredAdded
	if is == "" {
		kind = lifecycle.DeclaredRemoved
	}
	return lifecycle.DeclaredChange{Subject: subject, Kind: kind, From: was, To: is}
}

// pair goes through what both have by name: first in the order of the second, then what only the first has.
func pair[T any](from, to []T, name func(T) string, both func(a, b T), only func(gone bool, v T)) {
	had := map[string]T{}
	for _, v := range from {
		had[name(v)] = v
	}
	for _, v := range to {
		if was, ok := had[name(v)]; ok {
			both(was, v)
			delete(had, name(v))
			continue
		}
		only(false, v)
	}
	for _, v := range from {
		if _, left := had[name(v)]; left {
			only(true, v)
		}
	}
}

func join(below, field string) string {
	if below == "" || field == "" || strings.HasPrefix(field, "[") {
		return below + field
	}
	return below + "." + field
}

// text is a value's JSON.
func text(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return `"(a value that JSON does not have)"`
	}
	return strings.TrimSpace(b.String())
}
