package site

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
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
	return overlay.Text(overlay.Field(o.node, "metadata", "annotations", key))
}

// external reports whether the Site says that someone else runs the machines.
func (d documents) external() bool {
	return overlay.Text(overlay.Field(d.site, "spec", "provider")) == string(lifecycle.ProviderExternal)
}

// sortDocuments tells the documents of a build apart. There must be one Site, and one Cluster unless someone else runs the machines.
func sortDocuments(t *overlay.Tree, built []overlay.Document) (documents, lifecycle.Diagnostics) {
	var docs documents
	var ds lifecycle.Diagnostics
	complain := func(p overlay.Identity, summary, detail, hint string) {
		ds = append(ds, lifecycle.Errorf(t.Declared(p), "%s", summary).Because(detail).Try(hint))
	}
	for i := range built {
		node, err := built[i].Node()
		if err != nil {
			return docs, lifecycle.Diagnostics{lifecycle.Errorf(t.Overlay(), "kustomize printed a document that is not YAML").
				Because(fmt.Sprint(err)).
				Try("Report this with the overlay.").
				Hiding(err)}
		}
		p := overlay.Identify(node)
		switch {
		case p.Kind == overlay.KindCluster && p.APIVersion == overlay.APIK0sctl:
			if docs.cluster != nil {
				complain(p, "a second Cluster document", "A site is one cluster.", "Remove one, or make it a patch of the other.")
				continue
			}
			docs.cluster = node
		case p.Kind == overlay.KindSite && p.APIVersion == overlay.APIKiban:
			if docs.site != nil {
				complain(p, "a second Site document", "An overlay declares one site.", "Remove one, or make it a patch of the other.")
				continue
			}
			docs.site = node
		case p.Kind == overlay.KindAddon && p.APIVersion == overlay.APIKiban:
			docs.addons = append(docs.addons, node)
		case p.Kind == overlay.KindTenant && p.APIVersion == overlay.APIKiban:
			docs.tenants = append(docs.tenants, node)
		case strings.HasPrefix(p.APIVersion, overlay.GroupKiban):
			complain(p, fmt.Sprintf("%s %s is no document of kiban's", p.APIVersion, p.Kind),
				"It would be sent to the Kubernetes API, which does not know it either.", kindHint(p))
		case strings.HasPrefix(p.APIVersion, overlay.GroupK0sctl):
			complain(p, fmt.Sprintf("%s %s is not supported", p.APIVersion, p.Kind), "",
				"Write `apiVersion: "+overlay.APIK0sctl+"` and `kind: "+overlay.KindCluster+"`.")
		case strings.HasPrefix(p.APIVersion, overlay.GroupK0sCluster) && strings.HasPrefix(p.Kind, "ClusterConfig."):
			complain(p, "a ClusterConfig document beside the Cluster",
				"k0sctl would merge it into the Cluster's configuration; then two places decide.",
				"Move its spec to spec.k0s.config.spec of the Cluster.")
		default:
			docs.objects = append(docs.objects, object{document(t, node, built[i].YAML), node})
		}
	}
	if docs.cluster == nil && !docs.external() {
		complain(overlay.Identity{}, "no Cluster document", "The build holds no document of kind Cluster ("+overlay.APIK0sctl+").",
			"List a base such as ../../clusters/base under resources; or, if someone else runs the machines, write `provider: "+
				"external` in the Site.")
	}
	if docs.site == nil {
		complain(overlay.Identity{}, "no Site document", "The build holds no document of kind Site ("+overlay.APIKiban+").",
			"Add one; its metadata.name is the overlay's folder name.")
	}
	return docs, ds
}

func kindHint(p overlay.Identity) string {
	if p.Kind == overlay.KindFleet {
		return "Move it into " + lifecycle.FleetFile + " at the fleet's root: what it allows is not an overlay's to say."
	}
	kinds := []string{overlay.KindSite, overlay.KindAddon, overlay.KindTenant}
	if near := overlay.Nearest(p.Kind, kinds); near != "" && near != p.Kind {
		return fmt.Sprintf("Did you mean kind %q?", near)
	}
	return "The kinds of " + overlay.APIKiban + " are " + strings.Join(kinds, ", ") + "."
}

// document keeps an object as it was built, with where it was declared.
func document(t *overlay.Tree, n *yaml.Node, b []byte) lifecycle.Document {
	p := overlay.Identify(n)
	return lifecycle.Document{APIVersion: p.APIVersion, Kind: overlay.Text(overlay.Field(n, "kind")), Namespace: p.Namespace, Name: p.Name,
		YAML: b, Source: t.Resource(p)}
}
