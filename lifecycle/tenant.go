package lifecycle

// LabelTenant on a namespace and on what is in it names the tenant it belongs to.
const LabelTenant = "kiban.dev/tenant"

// Tenant is a product team on the cluster: its namespaces, who may do what in them, how much they may use, and what they deploy.
type Tenant struct {
	Name string `json:"name"`
	// Groups are the OIDC groups that have each role in all of the tenant's namespaces. The roles are Kubernetes' own: admin, edit, view.
	Groups TenantGroups `json:"groups"`
	// Namespaces are the tenant's. Default: one, named as the tenant.
	Namespaces []TenantNamespace `json:"namespaces"`
	// Quota are the hard limits of each namespace's ResourceQuota, by resource: {"requests.cpu": "20"}.
	Quota map[string]string `json:"quota,omitempty"`
	// Limits are what a container gets that says nothing: its limits by resource, and its requests.
	Limits TenantLimits `json:"limits"`
	// PodSecurity is the Pod Security Standard that is enforced: privileged, baseline or restricted. Default baseline.
	PodSecurity string `json:"podSecurity"`
	// Network is how its pods may be reached.
	Network TenantNetwork `json:"network"`
	// Repositories are those that its Argo CD project may deploy from, exact or with *.
	Repositories []string `json:"repositories,omitempty"`
	// Applications are what Argo CD deploys for it.
	Applications []TenantApplications `json:"applications,omitempty"`
	Source       string               `json:"source,omitempty"`
}

// Unit is the name of the tenant's unit.
func (t Tenant) Unit() string { return UnitTenant + t.Name }

// TenantGroups are OIDC groups by role, as the API server sees them, prefix included.
type TenantGroups struct {
	// Admin may also give rights within the namespaces; Edit may change what runs; View may look, but not at secrets.
	Admin []string `json:"admin,omitempty"`
	Edit  []string `json:"edit,omitempty"`
	View  []string `json:"view,omitempty"`
}

// TenantNamespace is one namespace of a tenant.
type TenantNamespace struct {
	Name string `json:"name"`
	// Quota takes the place of the tenant's for the resources that it names.
	Quota map[string]string `json:"quota,omitempty"`
}

// TenantLimits are a LimitRange's defaults for containers.
type TenantLimits struct {
	Default        map[string]string `json:"default,omitempty"`
	DefaultRequest map[string]string `json:"defaultRequest,omitempty"`
}

// TenantNetwork is which traffic reaches a tenant's pods.
type TenantNetwork struct {
	// Policy is isolated (only its own namespaces, and those that From names) or open. Default isolated.
	Policy string `json:"policy"`
	// From names namespaces whose pods may reach the tenant's: ingress controllers, monitoring.
	From []string `json:"from,omitempty"`
}

// TenantApplications are directories of a repository that Argo CD deploys, one application each.
type TenantApplications struct {
	// Repository is the git URL, Revision the branch or tag (default HEAD), Path the directories, with *: "apps/*".
	Repository string `json:"repository"`
	Revision   string `json:"revision"`
	Path       string `json:"path"`
	// Namespace is where they are deployed. Default: the tenant's first.
	Namespace string `json:"namespace"`
}

// TenantUse is what a namespace of a tenant uses of its quota.
type TenantUse struct {
	Tenant    string `json:"tenant"`
	Namespace string `json:"namespace"`
	// Declared is false when the tenant has left the repository.
	Declared bool `json:"declared"`
	// Missing says that the cluster does not have the namespace.
	Missing bool `json:"missing,omitempty"`
	// Resources are sorted by name; Used and Hard are quantities as Kubernetes prints them.
	Resources []ResourceUse `json:"resources,omitempty"`
}

// ResourceUse is one line of a quota.
type ResourceUse struct {
	Name string `json:"name"`
	Used string `json:"used"`
	Hard string `json:"hard"`
	// Share is Used of Hard, 0 to 1 and above.
	Share float64 `json:"share"`
}
