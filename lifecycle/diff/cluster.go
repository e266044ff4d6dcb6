package diff

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// cluster compares the k0sctl documents.
func cluster(from, to lifecycle.Site) []lifecycle.DeclaredChange {
	a, b := partsOf(from.Cluster.Document), partsOf(to.Cluster.Document)
	out := version(from.Cluster.Version, to)
	out = append(out, fields("config", "", present(a.config), present(b.config), guarded)...)
	if a.rest != nil && b.rest != nil {
		out = append(out, fields("cluster", "", a.rest, b.rest, guarded)...)
	}
	pair(from.Cluster.Hosts, to.Cluster.Hosts, func(h lifecycle.Host) string { return h.Name },
		func(x, y lifecycle.Host) {
			out = append(out, host(x, y)...)
			out = append(out, fields("host "+x.Name, "", present(a.hosts[x.Name]), present(b.hosts[x.Name]), hostMask)...)
		},
		func(gone bool, h lifecycle.Host) {
			if gone {
				out = append(out, whole("host "+h.Name, summary(h), ""))
				return
			}
			out = append(out, whole("host "+h.Name, "", summary(h)))
		})
	return out
}

// documentParts are a k0sctl document in pieces: k0s's configuration, of each host what lifecycle.Host does not say, and what is left but
// for the version; nil where the document has none, or is none.
type documentParts struct {
	config any
	hosts  map[string]any
	rest   any
}

func partsOf(written []byte) documentParts {
	doc := document(written)
	p := documentParts{config: take(doc, "spec", "k0s", "config")}
	take(doc, "spec", "k0s", "version")
	take(doc, "metadata", "creationTimestamp")
	p.hosts = hostRests(take(doc, "spec", "hosts"))
	if doc != nil {
		p.rest = pruned(doc)
	}
	return p
}

// version says which way the k0s version goes, and over which hops.
func version(from lifecycle.Version, to lifecycle.Site) []lifecycle.DeclaredChange {
	out := value("k0s", "version", from, to.Cluster.Version)
	for i := range out {
		out[i].Note = hops(from, to.Cluster.Version, to.Policy.Path)
	}
	return out
}

func hops(from, to lifecycle.Version, path []lifecycle.Version) string {
	switch {
	case from.IsZero() || to.IsZero():
		return ""
	case to.Less(from):
		return "older: k0s does not go back, but by restoring a backup"
	case to.Kubernetes() == from.Kubernetes():
		return "another build of the same Kubernetes"
	case to.MinorsAhead(from) == 0:
		return "a patch release"
	case to.MinorsAhead(from) == 1:
		return "the next minor release"
	}
	var between []string
	for minor := from.Minor + 1; minor < to.Minor; minor++ {
		on := slices.DeleteFunc(slices.Clone(path), func(v lifecycle.Version) bool { return v.Major != to.Major || v.Minor != minor })
		slices.SortFunc(on, lifecycle.Version.Compare)
		if len(on) == 0 {
			between = append(between, fmt.Sprintf("v%d.%d (which spec.upgrade.path does not name yet)", to.Major, minor))
		}
		for _, v := range slices.Compact(on) {
			between = append(between, v.String())
		}
	}
	return fmt.Sprintf("%d minor releases, one a hop: over %s", to.MinorsAhead(from), strings.Join(between, ", "))
}

// take cuts a value out of a document; nil when it is not there.
func take(doc map[string]any, path ...string) any {
	for _, key := range path[:len(path)-1] {
		doc, _ = doc[key].(map[string]any)
	}
	last := path[len(path)-1]
	v := doc[last]
	if doc != nil {
		delete(doc, last)
	}
	return v
}

// present makes what is not there an empty mapping, so that each of its fields is told of, and not the whole at once.
func present(v any) any {
	if v == nil {
		return map[string]any{}
	}
	return v
}

// pruned leaves out mappings that hold nothing any more.
func pruned(doc map[string]any) map[string]any {
	for k, v := range doc {
		if m, ok := v.(map[string]any); ok && len(pruned(m)) == 0 {
			delete(doc, k)
		}
	}
	return doc
}
