package site

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// documents are a build's documents by what they are for.
type documents struct {
	cluster, site   *yaml.Node
	addons, tenants []*yaml.Node
	objects         []object
}

// object is a document that is no business of kiban's but to be applied.
type object struct {
	lifecycle.Document
	node *yaml.Node
}

// annotation reads one of the object's annotations.
func (o object) annotation(key string) string {
	return text(at(o.node, "metadata", "annotations", key))
}

// external reports whether the Site says that someone else runs the machines.
func (d documents) external() bool {
	return text(at(d.site, "spec", "provider")) == string(lifecycle.ProviderExternal)
}

// sortDocuments tells the documents of a build apart. There must be one Site, and one Cluster unless someone else runs the machines.
func (t *tree) sortDocuments(built [][]byte) (documents, lifecycle.Diagnostics) {
	var docs documents
	var ds lifecycle.Diagnostics
	complain := func(p piece, summary, detail, hint string) {
		ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: summary, Detail: detail, Hint: hint, Subject: t.source(p)})
	}
	for _, b := range built {
		nodes, err := parseYAML(b)
		if err != nil || len(nodes) != 1 {
			return docs, lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "kustomize printed a document that is not YAML",
				Detail: fmt.Sprint(err), Hint: "Report this with the overlay.", Subject: t.rel(t.overlay), Cause: err}}
		}
		p := newPiece("", 0, nodes[0], false)
		switch {
		case p.kind == kindCluster && p.apiVersion == apiK0sctl:
			if docs.cluster != nil {
				complain(p, "a second Cluster document", "A site is one cluster.", "Remove one, or make it a patch of the other.")
				continue
			}
			docs.cluster = nodes[0]
		case p.kind == kindSite && p.apiVersion == apiKiban:
			if docs.site != nil {
				complain(p, "a second Site document", "An overlay declares one site.", "Remove one, or make it a patch of the other.")
				continue
			}
			docs.site = nodes[0]
		case p.kind == kindAddon && p.apiVersion == apiKiban:
			docs.addons = append(docs.addons, nodes[0])
		case p.kind == kindTenant && p.apiVersion == apiKiban:
			docs.tenants = append(docs.tenants, nodes[0])
		case strings.HasPrefix(p.apiVersion, groupKiban):
			complain(p, fmt.Sprintf("%s %s is no document of kiban's", p.apiVersion, p.kind), "It would be sent to the Kubernetes API, which does not know it either.", kindHint(p))
		case strings.HasPrefix(p.apiVersion, groupK0sctl):
			complain(p, fmt.Sprintf("%s %s is not supported", p.apiVersion, p.kind), "", "Write `apiVersion: "+apiK0sctl+"` and `kind: "+kindCluster+"`.")
		case strings.HasPrefix(p.apiVersion, groupK0sCluster) && strings.HasPrefix(p.kind, "ClusterConfig."):
			complain(p, "a ClusterConfig document beside the Cluster", "k0sctl would merge it into the Cluster's configuration; then two places decide.",
				"Move its spec to spec.k0s.config.spec of the Cluster.")
		default:
			docs.objects = append(docs.objects, object{t.document(p, b), nodes[0]})
		}
	}
	if docs.cluster == nil && !docs.external() {
		complain(piece{}, "no Cluster document", "The build holds no document of kind Cluster ("+apiK0sctl+").", "List a base such as ../../clusters/base under resources; or, if someone else runs the machines, write `provider: external` in the Site.")
	}
	if docs.site == nil {
		complain(piece{}, "no Site document", "The build holds no document of kind Site ("+apiKiban+").", "Add one; its metadata.name is the overlay's folder name.")
	}
	return docs, ds
}

func kindHint(p piece) string {
	kinds := []string{kindSite, kindAddon, kindTenant}
	if near := nearest(p.kind, kinds); near != "" && near != p.kind {
		return fmt.Sprintf("Did you mean kind %q?", near)
	}
	return "The kinds of " + apiKiban + " are " + strings.Join(kinds, ", ") + "."
}

// document keeps an object as it was built, with where it was declared.
func (t *tree) document(p piece, b []byte) lifecycle.Document {
	d := lifecycle.Document{APIVersion: p.apiVersion, Kind: text(at(p.node, "kind")), Namespace: p.namespace, Name: p.name, YAML: b}
	if file, line := t.sources.document(p.apiVersion, p.kind, p.namespace, p.name); file != "" {
		d.Source = t.subject(file, line)
	}
	return d
}

// source names where a built document was declared, or the overlay.
func (t *tree) source(p piece) string {
	if p.node == nil {
		return t.rel(t.overlay)
	}
	file, line := t.sources.document(p.apiVersion, p.kind, p.namespace, p.name)
	if file == "" {
		file, line = t.sources.find(place{kind: p.kind, name: p.name})
	}
	return t.subject(file, line)
}
