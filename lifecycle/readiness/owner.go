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

// OwnerOf says whom something in a namespace concerns, by its team label too where objects were looked at.
func (in Input) OwnerOf(namespace string) string {
	return ownerOf(in.Site, namespace, in.teamOf(namespace))
}

// teamOf is the team that a namespace's label names.
func (in Input) teamOf(namespace string) string {
	if e := in.Evidence.APIs; e != nil {
		return e.Writes.Value.Teams[namespace]
	}
	return ""
}

// caller says whom a request concerns: a service account is whose its namespace is, or else the addon's under whose name it is.
func (in Input) caller(c lifecycle.APICall) string {
	account, isAccount := strings.CutPrefix(c.User, "system:serviceaccount:")
	if !isAccount {
		return in.OwnerOf(c.Namespace)
	}
	namespace, name, _ := strings.Cut(account, ":")
	return cmp.Or(in.OwnerOf(namespace), addonNamed(in.Site, name))
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
	return addonNamed(site, w.Manager)
}

// addonNamed is the addon whose name something has, or begins with: "metallb-controller" is metallb's.
func addonNamed(site lifecycle.Site, name string) string {
	for _, a := range site.Addons {
		if name == a.Name || strings.HasPrefix(name, a.Name+"-") {
			return "addon " + a.Name
		}
	}
	return ""
}
