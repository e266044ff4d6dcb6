package render

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// SiteSummary says in a line what a site declares.
func SiteSummary(s lifecycle.Site) string {
	if s.Provider == lifecycle.ProviderExternal {
		return fmt.Sprintf("machines of someone else, %s, %s", lifecycle.Count(len(s.Addons), "addon"), lifecycle.Count(len(s.Tenants), "tenant"))
	}
	text := fmt.Sprintf("k0s %s, %s, %s", s.Cluster.Version, lifecycle.Count(len(s.Cluster.Controllers()), "controller"),
		lifecycle.Count(len(s.Cluster.Workers()), "worker"))
	if len(s.Addons)+len(s.Tenants) > 0 {
		text += fmt.Sprintf(", %s, %s", lifecycle.Count(len(s.Addons), "addon"), lifecycle.Count(len(s.Tenants), "tenant"))
	}
	return text
}
