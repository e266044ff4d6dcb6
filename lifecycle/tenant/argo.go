package tenant

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

const (
	argoAPI = "argoproj.io/v1alpha1"
	// argoNamespace is where Argo CD looks for projects and application sets; the argocd component installs it there.
	argoNamespace = "argocd"
	// argoCluster is the cluster that Argo CD itself runs in, as it calls it.
	argoCluster = "https://kubernetes.default.svc"
)

// project is the fence around what Argo CD does for the tenant: from its repositories, into its namespaces, nothing that belongs to the
// cluster as a whole, and not the objects that limit the tenant itself.
func (b *builder) project(namespaces []lifecycle.TenantNamespace) {
	var destinations []fields
	for _, ns := range namespaces {
		destinations = append(destinations, fields{"server": argoCluster, "namespace": ns.Name})
	}
	spec := fields{
		"description":              "Made by kiban from the tenant " + b.tenant.Name,
		"sourceRepos":              append([]string{}, sorted(b.tenant.Repositories)...), // an empty list allows none
		"destinations":             destinations,
		"clusterResourceWhitelist": []fields{},
		"namespaceResourceBlacklist": []fields{
			{"group": "", "kind": "ResourceQuota"},
			{"group": "", "kind": "LimitRange"},
			{"group": "networking.k8s.io", "kind": "NetworkPolicy"},
		},
	}
	var roles []fields
	for _, r := range rolesOf(b.tenant) {
		roles = append(roles, fields{
			"name":        r.name,
			"description": "who has the role " + r.name + " in the namespaces",
			"groups":      argoGroups(r.groups),
			"policies":    argoPolicies(b.tenant.Name, r.name),
		})
	}
	if len(roles) > 0 {
		spec["roles"] = roles
	}
	b.add(argoAPI, "AppProject", argoNamespace, b.tenant.Name, nil, fields{"spec": spec})
}

// argoGroups are groups as Argo CD sees them: it reads the identity provider's claim itself, without the prefix that the API server may
// put before it ("oidc:").
func argoGroups(groups []string) []string {
	all := append([]string{}, groups...)
	for _, g := range groups {
		if _, name, found := strings.Cut(g, ":"); found && name != "" {
			all = append(all, name)
		}
	}
	return sorted(all)
}

// argoPolicies are what a role may do to the project's applications, in the words of Argo CD's RBAC.
func argoPolicies(project, role string) []string {
	allowed := map[string][]string{
		"admin": {"applications, *", "logs, get"},
		"edit":  {"applications, get", "applications, sync", "applications, action/*", "logs, get"},
		"view":  {"applications, get", "logs, get"},
	}
	var out []string
	for _, what := range allowed[role] {
		out = append(out, "p, proj:"+project+":"+role+", "+what+", "+project+"/*, allow")
	}
	return out
}

// applications make one ApplicationSet of each entry, which makes one Application of each directory. When a set goes, what was deployed
// stays.
func (b *builder) applications(namespaces []lifecycle.TenantNamespace) {
	names := applicationSetNames(b.tenant.Name, b.tenant.Applications)
	for i, a := range b.tenant.Applications {
		revision, namespace := cmp.Or(a.Revision, "HEAD"), cmp.Or(a.Namespace, namespaces[0].Name)
		template := fields{
			// A namespace belongs to one tenant, so that applications of two tenants never have the same name.
			"metadata": fields{"name": namespace + "-{{.path.basenameNormalized}}", "labels": fields{lifecycle.LabelTenant: b.tenant.Name}},
			"spec": fields{
				"project":     b.tenant.Name,
				"source":      fields{"repoURL": a.Repository, "targetRevision": revision, "path": "{{.path.path}}"},
				"destination": fields{"server": argoCluster, "namespace": namespace},
				"syncPolicy": fields{
					"automated":   fields{"prune": true, "selfHeal": true},
					"syncOptions": []string{"CreateNamespace=false", "ServerSideApply=true"},
				},
			},
		}
		b.add(argoAPI, "ApplicationSet", argoNamespace, names[i], nil, fields{"spec": fields{
			"goTemplate":        true,
			"goTemplateOptions": []string{"missingkey=error"},
			"generators": []fields{{"git": fields{
				"repoURL": a.Repository, "revision": revision, "directories": []fields{{"path": a.Path}},
			}}},
			"template":   template,
			"syncPolicy": fields{"preserveResourcesOnDeletion": true},
		}})
	}
}

// applicationSetNames names each entry after its repository and path, not its place in the list, so that one more entry renames none.
// Entries whose names would be the same are told apart by a digest.
func applicationSetNames(tenant string, entries []lifecycle.TenantApplications) []string {
	names, times := make([]string, len(entries)), map[string]int{}
	for i, a := range entries {
		names[i] = strings.Join([]string{tenant, slug(path.Base(strings.TrimSuffix(a.Repository, ".git"))), slug(a.Path)}, "-")
		names[i] = strings.Trim(names[i], "-")
		times[names[i]]++
	}
	for i, a := range entries {
		if times[names[i]] > 1 {
			sum := sha256.Sum256([]byte(a.Repository + "\x00" + a.Path + "\x00" + a.Namespace))
			names[i] += "-" + hex.EncodeToString(sum[:3])
		}
	}
	return names
}

// slug keeps what a Kubernetes name may have: lower case letters and digits, with one dash for what is between them.
func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}
