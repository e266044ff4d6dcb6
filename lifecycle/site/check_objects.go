package site

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// Annotations by which a reviewer says that what looks like a mistake is meant. Their value says why.
const (
	annotationAllowAdmin  = "kiban.dev/allow-cluster-admin"
	annotationAllowSecret = "kiban.dev/allow-secret"
)

// checkObjects applies the rules about single objects of the site.
func checkObjects(objects []object) []finding {
	var found []finding
	for _, o := range objects {
		found = append(found, checkClusterAdmin(o)...)
		found = append(found, checkPlainSecret(o)...)
		if o.Kind == "BGPPeer" && o.APIVersion == "metallb.io/v1beta1" {
			found = append(found, doubtful(objectPlace(o.Document, "apiVersion"),
				fmt.Sprintf("%s is of a version that MetalLB has deprecated", shown(o.Document)), "", "Write `apiVersion: metallb.io/v1beta2`."))
		}
	}
	return found
}

// checkClusterAdmin refuses to make a whole group of people administrators of the cluster unless somebody says that it is meant.
func checkClusterAdmin(o object) []finding {
	if !strings.HasPrefix(o.APIVersion, "rbac.authorization.k8s.io/") ||
		overlay.Text(overlay.Field(o.node, "roleRef", "kind")) != "ClusterRole" ||
		overlay.Text(overlay.Field(o.node, "roleRef", "name")) != "cluster-admin" {
		return nil
	}
	if o.Kind != "ClusterRoleBinding" && (o.Kind != "RoleBinding" || o.Namespace != "kube-system") {
		return nil
	}
	if o.annotation(annotationAllowAdmin) != "" {
		return nil
	}
	var found []finding
	for i, s := range overlay.Items(overlay.Field(o.node, "subjects")) {
		if group := overlay.Text(overlay.Field(s, "name")); overlay.Text(overlay.Field(s, "kind")) == "Group" && group != "system:masters" {
			found = append(found, wrong(objectPlace(o.Document, "subjects", overlay.Index(i)),
				fmt.Sprintf("%s makes everyone of group %s administrator of the cluster", shown(o.Document), group),
				"cluster-admin may do everything, everywhere, and read every Secret.",
				fmt.Sprintf("Bind a smaller role; if it is meant, say why: `%s: \"<why>\"`.", annotationAllowAdmin)))
		}
	}
	return found
}

// checkPlainSecret refuses secret values in the repository.
func checkPlainSecret(o object) []finding {
	if o.Kind != "Secret" || o.APIVersion != "v1" || o.annotation(annotationAllowSecret) != "" {
		return nil
	}
	for _, field := range []string{"data", "stringData"} {
		if !overlay.Empty(overlay.Field(o.node, field)) {
			return []finding{wrong(objectPlace(o.Document, field), fmt.Sprintf("the values of %s are in the repository", shown(o.Document)),
				"Whoever can read the repository, now or ever, has them.",
				fmt.Sprintf("Declare it under spec.secrets of the addon that needs it, with values from `env` or `fileEnv`; "+
					"if they are no secrets, say why: `%s: \"<why>\"`.", annotationAllowSecret))}
		}
	}
	return nil
}
