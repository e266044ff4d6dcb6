package rendertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Object names an object of the API.
func Object(kind, namespace, name string) lifecycle.ObjectRef {
	api := "v1"
	switch kind {
	case "DaemonSet", "Deployment", "StatefulSet":
		api = "apps/v1"
	case "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding":
		api = "rbac.authorization.k8s.io/v1"
	case "CustomResourceDefinition":
		api = "apiextensions.k8s.io/v1"
	case "NetworkPolicy":
		api = "networking.k8s.io/v1"
	}
	return lifecycle.ObjectRef{APIVersion: api, Kind: kind, Namespace: namespace, Name: name}
}

// Changed is an object that is changed in some fields.
func Changed(kind, namespace, name string, fields ...lifecycle.FieldChange) lifecycle.ObjectChange {
	return lifecycle.ObjectChange{ObjectRef: Object(kind, namespace, name), Change: lifecycle.ChangeUpdate, Fields: fields}
}

// Field is a field's change.
func Field(path, from, to string) lifecycle.FieldChange {
	quote := func(s string) string {
		if s == "" || strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
			return s
		}
		return fmt.Sprintf("%q", s)
	}
	return lifecycle.FieldChange{Field: path, From: quote(from), To: quote(to)}
}

// bumped is what every object of a chart gets with a new version.
func bumped(fields ...lifecycle.FieldChange) []lifecycle.FieldChange {
	return append(fields, Field(`metadata.labels["app.kubernetes.io/version"]`, "v0.16.1", "v0.16.2"),
		Field(`metadata.labels["helm.sh/chart"]`, "metallb-0.16.1", "metallb-0.16.2"))
}

// MetalLBBump is what MetalLB's chart changes from one patch release to the next: two images, a flag, a new policy, and labels on
// everything.
func MetalLBBump() lifecycle.Step {
	const ns, template = "metallb-system", "spec.template.spec.containers"
	speaker := []lifecycle.FieldChange{
		Field(`metadata.annotations["deprecated.daemonset.template.generation"]`, "1", "2"),
		Field(template+"[name=speaker].args[2]", "", "--ignore-exclude-lb=false"),
		Field(template+"[name=speaker].image", "quay.io/metallb/speaker:v0.16.1", "quay.io/metallb/speaker:v0.16.2"),
		Field(template+"[name=reloader].image", "quay.io/metallb/frr-tools:v0.16.1@sha256:0f2a9c",
			"quay.io/metallb/frr-tools:v0.16.2@sha256:77aa01"),
	}
	s := lifecycle.Step{
		ID: "addon/metallb/apply", Stage: "addons", Action: lifecycle.ActionApply, Target: "addon/metallb", Chart: "0.16.1 -> 0.16.2",
		Unchanged: 4, Digest: "sha256:aa",
		Reason: "its chart differs from the one that is installed", Timeout: 10 * time.Minute,
		Objects: []lifecycle.ObjectChange{
			Changed("DaemonSet", ns, "metallb-speaker", bumped(speaker...)...),
			Changed("Deployment", ns, "metallb-controller",
				bumped(Field(template+"[name=controller].image", "quay.io/metallb/controller:v0.16.1", "quay.io/metallb/controller:v0.16.2"))...),
			Changed("CustomResourceDefinition", "", "bgppeers.metallb.io",
				Field(`spec.versions[name=v1beta2].schema.openAPIV3Schema.properties.spec.properties.dynamicASN.description`,
					"DynamicASN detects the AS number to use for the remote end of the session without explicitly setting it via the ASN field.",
					"DynamicASN detects the AS number to use for the remote end of the session. Limited to internal and external.")),
			{ObjectRef: Object("NetworkPolicy", ns, "metallb-webhook"), Change: lifecycle.ChangeCreate},
		},
		Ignored: []string{"CustomResourceDefinition bgppeers.metallb.io spec.conversion.webhook.clientConfig.caBundle: " +
			"MetalLB's controller writes it"},
	}
	for _, o := range [][2]string{{"ServiceAccount", "metallb-controller"}, {"ServiceAccount", "metallb-speaker"},
		{"Secret", "metallb-webhook-cert"}, {"ConfigMap", "metallb-excludel2"}, {"Role", "metallb-pod-lister"},
		{"Role", "metallb-controller"}, {"RoleBinding", "metallb-pod-lister"}, {"RoleBinding", "metallb-controller"},
		{"Service", "metallb-webhook-service"}} {
		s.Objects = append(s.Objects, Changed(o[0], ns, o[1], bumped()...))
	}
	for _, name := range []string{"metallb:controller", "metallb:speaker"} {
		s.Objects = append(s.Objects, Changed("ClusterRole", "", name, bumped()...), Changed("ClusterRoleBinding", "", name, bumped()...))
	}
	return s
}

func creates(s lifecycle.Step, kind, namespace string, names ...string) lifecycle.Step {
	for _, n := range names {
		s.Objects = append(s.Objects, lifecycle.ObjectChange{ObjectRef: Object(kind, namespace, n), Change: lifecycle.ChangeCreate})
	}
	return s
}

// ArgoInstall is the first installation of Argo CD.
func ArgoInstall() lifecycle.Step {
	parts := []string{"argocd-application-controller", "argocd-applicationset-controller", "argocd-dex-server",
		"argocd-notifications-controller", "argocd-redis", "argocd-repo-server", "argocd-server"}
	s := lifecycle.Step{ID: "addon/argocd/apply", Stage: "addons", Action: lifecycle.ActionApply, Target: "addon/argocd",
		Reason: "it is not installed", Timeout: 15 * time.Minute, Digest: "sha256:bb"}
	s = creates(s, "Namespace", "", "argocd")
	s = creates(s, "CustomResourceDefinition", "", "applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io")
	s = creates(s, "ServiceAccount", "argocd", parts...)
	s = creates(s, "Role", "argocd", parts...)
	s = creates(s, "ClusterRole", "", "argocd-application-controller", "argocd-applicationset-controller", "argocd-server")
	s = creates(s, "RoleBinding", "argocd", parts...)
	s = creates(s, "ClusterRoleBinding", "", "argocd-application-controller", "argocd-applicationset-controller", "argocd-server")
	s = creates(s, "ConfigMap", "argocd", "argocd-cm", "argocd-cmd-params-cm", "argocd-gpg-keys-cm", "argocd-notifications-cm",
		"argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
	s = creates(s, "Secret", "argocd", "argocd-notifications-secret", "argocd-secret")
	s = creates(s, "Service", "argocd", append([]string{"argocd-metrics"}, parts[1:]...)...)
	s = creates(s, "Deployment", "argocd", parts[1:]...)
	s = creates(s, "StatefulSet", "argocd", parts[0])
	s = creates(s, "NetworkPolicy", "argocd", parts...)
	for i := range s.Objects {
		if i > 3 {
			s.Objects[i].Reason = "its namespace comes with it"
		}
	}
	return s
}

// Drifted are objects of the site that people changed by hand.
func Drifted() lifecycle.Step {
	at := time.Date(2026, 11, 21, 14, 3, 20, 0, time.UTC)
	by := func(f lifecycle.FieldChange, who string, at time.Time) lifecycle.FieldChange {
		f.By, f.At = who, at
		return f
	}
	web := Changed("Deployment", "shop", "web", by(lifecycle.FieldChange{Field: "spec.replicas", From: "1", To: "3"}, "kubectl-edit", at),
		by(Field(`spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]`, "2026-11-21T23:03:20+09:00", ""), "kubectl-edit", at))
	config := Changed("ConfigMap", "shop", "web", by(Field("data.mode", "debug", "normal"), "kubectl-patch", at.Add(time.Hour)),
		by(Field("data.level", "9", "3"), "Mozilla", at))
	gone := lifecycle.ObjectChange{ObjectRef: Object("Service", "shop", "web"), Change: lifecycle.ChangeCreate, Drift: true,
		Reason: "deleted by hand"}
	nobody := Changed("ConfigMap", "shop", "feature-flags", lifecycle.FieldChange{Field: "data.checkout", From: `"on"`, To: `"off"`})
	web.Drift, config.Drift, nobody.Drift = true, true, true
	return lifecycle.Step{ID: "objects/apply", Stage: "addons", Action: lifecycle.ActionApply, Target: lifecycle.UnitObjects, Unchanged: 11,
		Digest: "sha256:cc",
		Reason: "4 objects were changed in the cluster", Objects: []lifecycle.ObjectChange{web, config, gone, nobody}}
}

// Pruned is an addon that left the repository.
func Pruned() lifecycle.Step {
	s := lifecycle.Step{ID: "addon/datadog/prune", Stage: "prune", Action: lifecycle.ActionPrune, Target: "addon/datadog", Chart: "3.201.2",
		Reason: "it has left the repository"}
	add := func(change lifecycle.ChangeKind, kind, namespace, reason string, names ...string) {
		for _, n := range names {
			s.Objects = append(s.Objects, lifecycle.ObjectChange{ObjectRef: Object(kind, namespace, n), Change: change, Reason: reason})
		}
	}
	add(lifecycle.ChangeDelete, "DaemonSet", "datadog", "", "datadog-agent")
	add(lifecycle.ChangeDelete, "Deployment", "datadog", "", "datadog-cluster-agent", "datadog-clusterchecks", "datadog-operator")
	add(lifecycle.ChangeDelete, "ServiceAccount", "datadog", "", "datadog-agent", "datadog-cluster-agent")
	add(lifecycle.ChangeDelete, "ClusterRole", "", "", "datadog-agent", "datadog-cluster-agent")
	add(lifecycle.ChangeDelete, "Namespace", "", "all that is in it goes with it", "datadog-probes")
	add(lifecycle.ChangeKeep, "Namespace", "", "what is in it would go with it", "datadog")
	add(lifecycle.ChangeKeep, "CustomResourceDefinition", "", "its objects would go with it", "datadogagents.datadoghq.com",
		"datadogmetrics.datadoghq.com")
	return s
}

// TenantAdded is a tenant of one namespace that is new, on a site with Argo CD.
func TenantAdded(name string) lifecycle.Step {
	s := lifecycle.Step{ID: "tenant/" + name + "/apply", Stage: "tenants", Action: lifecycle.ActionApply, Target: "tenant/" + name,
		Reason: "it is new", Digest: "sha256:dd"}
	s = creates(s, "Namespace", "", name)
	s = creates(s, "LimitRange", name, "kiban")
	s = creates(s, "ResourceQuota", name, "kiban")
	s = creates(s, "RoleBinding", name, "kiban-admin", "kiban-edit", "kiban-view")
	s = creates(s, "NetworkPolicy", name, "kiban-allow-from", "kiban-allow-tenant", "kiban-default-deny")
	s = creates(s, "AppProject", "argocd", name)
	return creates(s, "ApplicationSet", "argocd", name+"-deploy-apps")
}

// UnitPlan is a plan of units only.
func UnitPlan(site lifecycle.Site, steps ...lifecycle.Step) lifecycle.Plan {
	p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name, Revision: site.Revision, SiteDigest: "sha256:aa",
		FactsDigest: "sha256:bb", Target: site.Cluster.Version, Steps: steps}
	names := map[string]string{"addons": "addons", "tenants": "tenants", "prune": "what has left the repository"}
	for _, s := range steps {
		if n := len(p.Stages); n == 0 || p.Stages[n-1].ID != s.Stage {
			p.Stages = append(p.Stages, lifecycle.Stage{ID: s.Stage, Title: names[s.Stage], Width: 1})
		}
	}
	return p
}

// UnitPlans are a site, and plans for its units by name.
func UnitPlans(t *testing.T) (lifecycle.Site, map[string]lifecycle.Plan) {
	site := Site(t, 3, 4)
	both := UpgradePlan(t, site, 1)
	bump := UnitPlan(site, MetalLBBump())
	both.Steps, both.Stages = append(bump.Steps, both.Steps...), append(bump.Stages, both.Stages...)
	return site, map[string]lifecycle.Plan{
		"addon_bump":    bump,
		"addon_install": UnitPlan(site, ArgoInstall(), TenantAdded("product-a"), TenantAdded("product-b"), TenantAdded("product-c")),
		"addon_drift":   UnitPlan(site, Drifted()),
		"addon_prune":   UnitPlan(site, Pruned()),
		"addon_upgrade": both,
	}
}
