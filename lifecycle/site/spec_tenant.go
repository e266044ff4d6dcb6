package site

import (
	"cmp"

	"kiban.dev/kiban/lifecycle"
)

// tenantDocument is the form of a Tenant document; like siteDocument, its meaning stands in package lifecycle.
type tenantDocument struct {
	APIVersion string         `yaml:"apiVersion"`
	Kind       string         `yaml:"kind"`
	Metadata   objectMetadata `yaml:"metadata"`
	Spec       tenantSpec     `yaml:"spec"`
}

type tenantSpec struct {
	Groups       groupsSpec         `yaml:"groups"`
	Namespaces   []namespaceSpec    `yaml:"namespaces"`
	Quota        map[string]string  `yaml:"quota"`
	Limits       limitsSpec         `yaml:"limits"`
	PodSecurity  string             `yaml:"podSecurity"`
	Network      networkSpec        `yaml:"network"`
	Repositories []string           `yaml:"repositories"`
	Applications []applicationsSpec `yaml:"applications"`
}

type groupsSpec struct {
	Admin []string `yaml:"admin"`
	Edit  []string `yaml:"edit"`
	View  []string `yaml:"view"`
}

type namespaceSpec struct {
	Name  string            `yaml:"name"`
	Quota map[string]string `yaml:"quota"`
}

type limitsSpec struct {
	Default        map[string]string `yaml:"default"`
	DefaultRequest map[string]string `yaml:"defaultRequest"`
}

type networkSpec struct {
	Policy string   `yaml:"policy"`
	From   []string `yaml:"from"`
}

type applicationsSpec struct {
	Repository string `yaml:"repository"`
	Revision   string `yaml:"revision"`
	Path       string `yaml:"path"`
	Namespace  string `yaml:"namespace"`
}

func tenantDefaults() tenantDocument {
	return tenantDocument{Spec: tenantSpec{PodSecurity: "baseline", Network: networkSpec{Policy: "isolated"}}}
}

// tenant is what the document declares, with the defaults that depend on its name.
func (d tenantDocument) tenant() lifecycle.Tenant {
	t := lifecycle.Tenant{
		Name: d.Metadata.Name, Groups: lifecycle.TenantGroups(d.Spec.Groups), Quota: d.Spec.Quota, Limits: lifecycle.TenantLimits(d.Spec.Limits),
		PodSecurity: d.Spec.PodSecurity, Network: lifecycle.TenantNetwork(d.Spec.Network), Repositories: d.Spec.Repositories,
	}
	for _, n := range d.Spec.Namespaces {
		t.Namespaces = append(t.Namespaces, lifecycle.TenantNamespace(n))
	}
	if len(t.Namespaces) == 0 {
		t.Namespaces = []lifecycle.TenantNamespace{{Name: t.Name}}
	}
	for _, a := range d.Spec.Applications {
		t.Applications = append(t.Applications, lifecycle.TenantApplications{
			Repository: a.Repository, Revision: cmp.Or(a.Revision, "HEAD"), Path: a.Path, Namespace: cmp.Or(a.Namespace, t.Namespaces[0].Name),
		})
	}
	return t
}
