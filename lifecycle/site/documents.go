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
	addons, objects []lifecycle.Document
}

// sortDocuments tells the documents of a build apart. There must be exactly one Cluster and one Site.
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
		case (p.kind == kindAddon || p.kind == kindTenant) && p.apiVersion == apiKiban:
			docs.addons = append(docs.addons, t.document(p, b))
		case strings.HasPrefix(p.apiVersion, groupKiban):
			complain(p, fmt.Sprintf("%s %s is no document of kiban's", p.apiVersion, p.kind), "It would be sent to the Kubernetes API, which does not know it either.", kindHint(p))
		case strings.HasPrefix(p.apiVersion, groupK0sctl):
			complain(p, fmt.Sprintf("%s %s is not supported", p.apiVersion, p.kind), "", "Write `apiVersion: "+apiK0sctl+"` and `kind: "+kindCluster+"`.")
		case strings.HasPrefix(p.apiVersion, groupK0sCluster) && strings.HasPrefix(p.kind, "ClusterConfig."):
			complain(p, "a ClusterConfig document beside the Cluster", "k0sctl would merge it into the Cluster's configuration; then two places decide.",
				"Move its spec to spec.k0s.config.spec of the Cluster.")
		default:
			docs.objects = append(docs.objects, t.document(p, b))
		}
	}
	if docs.cluster == nil {
		complain(piece{}, "no Cluster document", "The build holds no document of kind Cluster ("+apiK0sctl+").", "List a base such as ../../clusters/base under resources.")
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
		file, line = t.sources.find(place{kind: p.kind})
	}
	return t.subject(file, line)
}
