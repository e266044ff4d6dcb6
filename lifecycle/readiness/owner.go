package readiness

import (
	"cmp"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// ownerOf says whom something in a namespace concerns: the tenant that the namespace is of, the addon that it is of, or the team that a
// label names. "" where nothing of it is known.
func ownerOf(site lifecycle.Site, namespace, team string) string {
	if namespace != "" {
		for _, t := range site.Tenants {
			for _, n := range t.Namespaces {
				if n.Name == namespace {
					return withTeam("tenant "+t.Name, team)
				}
			}
		}
		for _, a := range site.Addons {
			if a.Namespace == namespace && !strings.HasPrefix(namespace, "kube-") && namespace != "default" {
				return withTeam("addon "+a.Name, team)
			}
		}
	}
	if team != "" {
		return "team " + team
	}
	return ""
}

func withTeam(owner, team string) string {
	if team == "" {
		return owner
	}
	return owner + " (team " + team + ")"
}

// writer says whom an object that is stored concerns. One that is in no namespace is whose Helm release it is of, else of the addon that
// wrote it, by the name under which it did.
func writer(site lifecycle.Site, w lifecycle.APIWrite, teams map[string]string) string {
	namespace := cmp.Or(w.Object.Namespace, w.Release)
	if owner := ownerOf(site, namespace, cmp.Or(w.Team, teams[namespace])); owner != "" || namespace != "" {
		return owner
	}
	for _, a := range site.Addons {
		if w.Manager == a.Name || strings.HasPrefix(w.Manager, a.Name+"-") {
			return "addon " + a.Name
		}
	}
	return ""
}
