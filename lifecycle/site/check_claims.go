package site

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// claim is that a unit declares an object.
type claim struct {
	ref    lifecycle.ObjectRef
	unit   string // for people: "addon metallb"
	source string
	at     overlay.Place
}

// same reports whether two claims are about one object. An object that names no namespace is in its addon's, or in none.
func (c claim) same(o claim) bool { return c.ref.Same(o.ref) }

// checkClaims holds that no two units declare the same object: each would undo what the other does, and prune it when it leaves.
// manifests are the claims of what addons' manifests hold.
func checkClaims(site lifecycle.Site, manifests []claim) []finding {
	var found []finding
	claims := slices.Clone(manifests)
	claims = append(claims, objectClaims(site.Objects, "", "the site's objects")...)
	for _, a := range site.Addons {
		claims = append(claims, objectClaims(a.Objects, a.Namespace, "addon "+a.Name)...)
		for _, s := range a.Secrets {
			r := lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: a.Namespace, Name: s.Name}
			claims = append(claims, claim{r, "addon " + a.Name, a.Source, addonPlace(a.Name, "spec", "secrets", "[name="+s.Name+"]")})
		}
	}
	for _, t := range site.Tenants {
		for _, n := range t.Namespaces {
			r := lifecycle.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: n.Name}
			claims = append(claims, claim{r, "tenant " + t.Name, t.Source, tenantPlace(t.Name, "spec", "namespaces", "[name="+n.Name+"]")})
		}
	}
	first := map[string][]claim{} // by kind and name, for speed
	for _, c := range claims {
		key := c.ref.Group() + "/" + c.ref.Kind + "/" + c.ref.Name
		if i := slices.IndexFunc(first[key], c.same); i >= 0 {
			found = append(found, twice(c, first[key][i]))
			continue
		}
		first[key] = append(first[key], c)
	}
	return append(found, checkReleases(site.Addons)...)
}

func twice(c, other claim) finding {
	if c.ref.Kind == "Namespace" && c.at.Kind == overlay.KindTenant && other.at.Kind == overlay.KindTenant {
		return wrong(c.at, fmt.Sprintf("namespace %s is claimed twice", c.ref.Name),
			fmt.Sprintf("By %s (%s) and %s (%s).", other.unit, other.source, c.unit, c.source), "Leave it to one of them.")
	}
	return wrong(c.at, fmt.Sprintf("%s is declared twice", c.ref),
		fmt.Sprintf("By %s (%s) and %s (%s); each would undo what the other does.", other.unit, other.source, c.unit, c.source),
		"Leave it to one of them.")
}

// objectClaims are those of documents. clusterKinds of Kubernetes' own have no namespace; of others it is not known, and what names none is
// taken to be in the addon's.
func objectClaims(docs []lifecycle.Document, namespace, unit string) []claim {
	var out []claim
	for _, d := range docs {
		r := ref(d)
		if r.Namespace == "" && !slices.Contains(clusterKinds(), r.Kind) {
			r.Namespace = namespace
		}
		out = append(out, claim{r, unit, d.Source, objectPlace(d)})
	}
	return out
}

// clusterKinds are the common kinds that belong to no namespace.
func clusterKinds() []string {
	return []string{
		"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "StorageClass", "PersistentVolume", "PriorityClass",
		"IngressClass",
		"RuntimeClass", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
		"ValidatingAdmissionPolicyBinding",
		"APIService", "ClusterIssuer", "CSIDriver",
	}
}

// checkReleases holds that a Helm release has one addon, and an addon's name is given once.
func checkReleases(addons []lifecycle.Addon) []finding {
	var found []finding
	names, releases := map[string]lifecycle.Addon{}, map[string]lifecycle.Addon{}
	for _, a := range addons {
		if other, taken := names[a.Name]; taken {
			found = append(found, wrong(overlay.Place{Kind: overlay.KindAddon, Name: a.Name, Subject: a.Source},
				fmt.Sprintf("a second addon %s", a.Name), "The first is at "+other.Source+".", "Rename one of them, or make it a patch of the other."))
			continue
		}
		names[a.Name] = a
		if a.Chart == nil {
			continue
		}
		key := a.Namespace + "/" + a.Chart.Release
		if other, taken := releases[key]; taken {
			found = append(found, wrong(addonPlace(a.Name, "spec", "chart", cmp.Or(given(a.Chart.Release != a.Name, "release"), "name")),
				fmt.Sprintf("addons %s and %s have the same release %s", other.Name, a.Name, key), "Each would replace what the other installs.",
				"Give one of them another spec.chart.release or spec.namespace."))
			continue
		}
		releases[key] = a
	}
	return found
}

func given(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

// checkForeignCharts refuses charts that k0s itself would install under a name that an addon has.
func checkForeignCharts(c clusterDocument, addons []lifecycle.Addon) []finding {
	var found []finding
	for i, chart := range c.Spec.K0s.Config.Spec.Extensions.Helm.Charts {
		for _, a := range addons {
			if a.Chart == nil || a.Chart.Release != chart.Name || a.Namespace != cmp.Or(chart.Namespace, "default") {
				continue
			}
			at := clusterPlace("spec", "k0s", "config", "spec", "extensions", "helm", "charts", overlay.Index(i))
			found = append(found, wrong(at, fmt.Sprintf("k0s and addon %s both install the release %s/%s", a.Name, a.Namespace, chart.Name),
				"k0s's own chart controller and kiban would take turns in undoing what the other does.",
				"Remove it from spec.k0s.config.spec.extensions.helm of the Cluster; the addon takes the release over as it is."))
		}
	}
	return found
}
