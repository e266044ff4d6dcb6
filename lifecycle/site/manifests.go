package site

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// readManifests reads the manifests of an addon that the repository holds, for the rules about objects. What is behind a URL is known only
// once it is fetched.
func (l *loader) readManifests(a lifecycle.Addon) {
	for i, m := range a.Manifests {
		where := addonPlace(a.Name, "spec", "manifests", overlay.Index(i))
		scheme, _, isURL := strings.Cut(m, "://")
		switch {
		case m == "":
			l.add(wrong(where, "a manifest without a path", "", "Name an https URL, or a file relative to the overlay."))
		case isURL && scheme != "https":
			l.add(wrong(where, fmt.Sprintf("manifests can't be fetched by %s", scheme), "", "Use https, or a file relative to the overlay."))
		case !isURL:
			l.readManifest(a, m, where)
		}
	}
}

func (l *loader) readManifest(a lifecycle.Addon, name string, where overlay.Place) {
	file := absolute(l.site.Dir, name)
	b, err := l.readLocal(file)
	if err != nil {
		l.add(l.notLocal(where, "the manifest "+name, file, err))
		return
	}
	l.contents = append(l.contents, []byte(name), b)
	nodes, err := overlay.ParseYAML(b)
	if err != nil {
		line, what := overlay.YAMLErrorAt(err.Error())
		l.add(wrong(overlay.Place{Subject: l.tree.Subject(file, line)}, "this is not YAML", what,
			"Check indentation, quotes and colons at and just above this line."))
		return
	}
	var docs []lifecycle.Document
	for _, n := range unlisted(nodes) {
		d := lifecycle.Document{
			APIVersion: overlay.Text(overlay.Field(n, "apiVersion")), Kind: overlay.Text(overlay.Field(n, "kind")),
			Name: overlay.Text(overlay.Field(n, "metadata", "name")), Namespace: overlay.Text(overlay.Field(n, "metadata", "namespace")),
			Source: l.tree.Subject(file, n.Line),
		}
		if d.Kind == "" || d.Name == "" {
			l.add(wrong(overlay.Place{Subject: d.Source}, "a document that is no Kubernetes object", "It has no kind or no name.",
				"Correct or remove it."))
			continue
		}
		docs = append(docs, d)
		l.units.objects = append(l.units.objects, object{d, n})
	}
	l.units.claims = append(l.units.claims, objectClaims(docs, a.Namespace, "addon "+a.Name)...)
}

// unlisted takes the items out of lists.
func unlisted(nodes []*yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, n := range nodes {
		if list := overlay.Field(n, "items"); strings.HasSuffix(overlay.Text(overlay.Field(n, "kind")), "List") && list != nil {
			for _, item := range overlay.Items(list) {
				out = append(out, overlay.Resolve(item))
			}
			continue
		}
		out = append(out, n)
	}
	return out
}
