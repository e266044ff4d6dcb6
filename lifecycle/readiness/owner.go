package readiness

import (
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
