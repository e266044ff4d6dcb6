package kube

import "strings"

// fakeKinds are the kinds that the fake API tells of, by group and version; "!" says that a kind has no namespace.
func fakeKinds() map[string]map[string]string {
	return map[string]map[string]string{
		"v1":      {"Namespace": "!namespaces", "ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Pod": "pods"},
		"apps/v1": {"Deployment": "deployments", "DaemonSet": "daemonsets"},
	}
}

// discover answers /api, /apis and what is below them; nil for everything else.
func discover(path string) object {
	verbs := []any{"get", "list", "watch", "create", "update", "patch", "delete"}
	switch path {
	case "/api":
		return object{"kind": "APIVersions", "versions": []any{"v1"}}
	case "/apis":
		var groups []any
		for gv := range fakeKinds() {
			if group, version, ok := strings.Cut(gv, "/"); ok {
				v := map[string]any{"groupVersion": gv, "version": version}
				groups = append(groups, map[string]any{"name": group, "versions": []any{v}, "preferredVersion": v})
			}
		}
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	}
	gv := strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")
	kinds := fakeKinds()[gv]
	if kinds == nil {
		return nil
	}
	var resources []any
	for kind, name := range kinds {
		plural, cluster := strings.CutPrefix(name, "!")
		resources = append(resources, map[string]any{"name": plural, "singularName": strings.ToLower(kind), "kind": kind, "namespaced": !cluster,
			"verbs": verbs})
	}
	return object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": resources}
}
