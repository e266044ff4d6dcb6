package site

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// systemNamespace reports whether a namespace belongs to the cluster itself, so that no tenant may have it.
func systemNamespace(name string) bool {
	return name == "default" || strings.HasPrefix(name, "kube-") || strings.HasPrefix(name, "kiban-") || strings.HasPrefix(name, "k0s-") ||
		strings.HasPrefix(name, "openshift")
}

// checkTenants applies the rules about all Tenant documents.
func checkTenants(docs []tenantDocument, addons []lifecycle.Addon) []finding {
	var found []finding
	seen := map[string]bool{}
	argo := slices.ContainsFunc(addons, func(a lifecycle.Addon) bool { return a.Name == "argocd" })
	for _, d := range docs {
		t := d.tenant()
		if seen[t.Name] {
			found = append(found, wrong(tenantPlace(t.Name), fmt.Sprintf("a second tenant %s", t.Name), "",
				"Rename one of them, or make it a patch of the other."))
		}
		seen[t.Name] = true
		found = append(found, checkTenant(d)...)
		found = append(found, checkTenantNamespaces(t, addons)...)
		found = append(found, checkTenantApplications(d, argo)...)
	}
	return found
}

// checkTenant applies the rules about one document, without its namespaces and applications.
func checkTenant(d tenantDocument) []finding {
	name := d.Metadata.Name
	at := func(keys ...string) overlay.Place { return tenantPlace(name, append([]string{"spec"}, keys...)...) }
	var found []finding
	if !isName(name) {
		found = append(found, wrong(tenantPlace(name, "metadata", "name"), fmt.Sprintf("%q can't be the name of a tenant", name), "", nameHint))
	}
	for _, role := range []struct {
		name   string
		groups []string
	}{{"admin", d.Spec.Groups.Admin}, {"edit", d.Spec.Groups.Edit}, {"view", d.Spec.Groups.View}} {
		for i, g := range role.groups {
			switch {
			case strings.HasPrefix(g, "system:"):
				found = append(found, wrong(at("groups", role.name, overlay.Index(i)), fmt.Sprintf("tenant %s gives rights to %s", name, g),
					"Groups that begin with system: are Kubernetes' own, such as everyone who signed on; they are nobody's team.",
					"Name a group of the identity provider, with the prefix that the API server puts before it."))
			case strings.TrimSpace(g) == "":
				found = append(found, wrong(at("groups", role.name, overlay.Index(i)), fmt.Sprintf("tenant %s names a group without a name", name), "",
					"Remove the entry."))
			}
		}
	}
	if p := d.Spec.PodSecurity; p != "privileged" && p != "baseline" && p != "restricted" {
		found = append(found, wrong(at("podSecurity"), fmt.Sprintf("there is no Pod Security level %q", p), "",
			choose(p, "privileged", "baseline", "restricted")))
	}
	if p := d.Spec.Network.Policy; p != "isolated" && p != "open" {
		found = append(found, wrong(at("network", "policy"), fmt.Sprintf("network.policy can't be %q", p), "", choose(p, "isolated", "open")))
	}
	for i, n := range d.Spec.Network.From {
		if !isName(n) {
			found = append(found, wrong(at("network", "from", overlay.Index(i)), fmt.Sprintf("%q can't be the name of a namespace", n), "",
				nameHint))
		}
	}
	found = append(found, checkQuantities(at("quota"), d.Spec.Quota)...)
	found = append(found, checkQuantities(at("limits", "default"), d.Spec.Limits.Default)...)
	found = append(found, checkQuantities(at("limits", "defaultRequest"), d.Spec.Limits.DefaultRequest)...)
	for _, n := range d.Spec.Namespaces {
		found = append(found, checkQuantities(at("namespaces", "[name="+n.Name+"]", "quota"), n.Quota)...)
	}
	return found
}

// choose is a hint for a value that is one of few.
func choose(word string, from ...string) string {
	if near := overlay.Nearest(word, from); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return "Use " + strings.Join(from[:len(from)-1], ", ") + " or " + from[len(from)-1] + "."
}

// quantityForm is how Kubernetes writes amounts: k8s.io/apimachinery/pkg/api/resource, without signs.
var quantityForm = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`)

func checkQuantities(at overlay.Place, quantities map[string]string) []finding {
	var found []finding
	for _, resource := range sortedKeys(quantities) {
		if !quantityForm.MatchString(quantities[resource]) {
			found = append(found, wrong(below(at, resource), fmt.Sprintf("%s: %q is no amount", resource, quantities[resource]), "",
				`Write it as Kubernetes does: "500m", "4", "16Gi".`))
		}
		if !labelForm.MatchString(resource) {
			found = append(found, wrong(below(at, resource), fmt.Sprintf("%q is no resource", resource), "",
				"Name one such as requests.cpu, limits.memory or pods."))
		}
	}
	return found
}

// checkTenantNamespaces holds that a tenant's namespaces are its own. That no other tenant has them is checkClaims' rule.
func checkTenantNamespaces(t lifecycle.Tenant, addons []lifecycle.Addon) []finding {
	var found []finding
	for _, n := range t.Namespaces {
		at := tenantPlace(t.Name, "spec", "namespaces", "[name="+n.Name+"]")
		i := slices.IndexFunc(addons, func(a lifecycle.Addon) bool { return a.Namespace == n.Name })
		switch {
		case systemNamespace(n.Name):
			found = append(found, wrong(at, fmt.Sprintf("tenant %s claims %s, a namespace of the cluster itself", t.Name, n.Name),
				"Its people would have rights over what keeps the cluster running.", "Give the tenant a namespace of its own."))
		case !isName(n.Name):
			found = append(found, wrong(at, fmt.Sprintf("%q can't be the name of a namespace", n.Name), "", nameHint))
		case i >= 0:
			found = append(found, wrong(at, fmt.Sprintf("tenant %s claims %s, the namespace of addon %s", t.Name, n.Name, addons[i].Name),
				"Its people would have rights over the addon.", "Give the tenant a namespace of its own."))
		}
	}
	return found
}

// checkTenantApplications holds that Argo CD could deploy what is declared.
func checkTenantApplications(d tenantDocument, argo bool) []finding {
	t := d.tenant()
	var found []finding
	for i, a := range t.Applications {
		at := tenantPlace(t.Name, "spec", "applications", overlay.Index(i))
		switch {
		case a.Repository == "" || a.Path == "":
			found = append(found, wrong(at, fmt.Sprintf("application %d of tenant %s names no repository or no path", i+1, t.Name), "",
				`Write it like {repository: "https://git.example/shop.git", path: "apps/*"}.`))
		case !slices.ContainsFunc(t.Repositories, func(pattern string) bool { return matches(pattern, a.Repository) }):
			found = append(found, wrong(below(at, "repository"), fmt.Sprintf("tenant %s may not deploy from %s", t.Name, a.Repository),
				"Its spec.repositories do not name it, so its Argo CD project refuses it.", "Add it to spec.repositories."))
		}
		if !slices.ContainsFunc(t.Namespaces, func(n lifecycle.TenantNamespace) bool { return n.Name == a.Namespace }) {
			found = append(found, wrong(below(at, "namespace"),
				fmt.Sprintf("tenant %s deploys into %s, which is not its namespace", t.Name, a.Namespace), "", "Name one of spec.namespaces."))
		}
	}
	if len(t.Applications) > 0 && !argo {
		found = append(found, doubtful(tenantPlace(t.Name, "spec", "applications"),
			fmt.Sprintf("nothing deploys the applications of tenant %s", t.Name), "The site has no addon named argocd.",
			"Add the argocd component, or remove spec.applications."))
	}
	return found
}

// matches reports whether a repository is one that a pattern with * allows.
func matches(pattern, repository string) bool {
	if pattern == "*" || pattern == repository || strings.TrimSuffix(pattern, ".git") == strings.TrimSuffix(repository, ".git") {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "**", "*"), repository)
	return err == nil && ok
}
