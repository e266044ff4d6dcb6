package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// nearlyFull is the share of a quota from which on it is worth a word.
const nearlyFull = 0.9

// TenantsText shows what the namespaces of tenants use of their quotas, a line for each resource.
func TenantsText(w io.Writer, site string, uses []lifecycle.TenantUse, style Style) error {
	if len(uses) == 0 {
		_, err := fmt.Fprintf(w, "%s has no tenants, neither declared nor in its cluster.\n", site)
		return err
	}
	var rows []string
	full := map[int]bool{}
	for i, u := range uses {
		tenant := u.Tenant
		if i > 0 && uses[i-1].Tenant == u.Tenant {
			tenant = ""
		}
		note := useNote(u)
		if len(u.Resources) == 0 {
			rows = append(rows, strings.Join([]string{tenant, u.Namespace, "-", "", "", "", note}, "\t"))
			continue
		}
		namespace := u.Namespace
		for _, r := range u.Resources {
			said := note
			if r.Share >= nearlyFull {
				full[len(rows)] = true
				said = strings.Trim(said+"; nearly full", "; ")
				if r.Share >= 1 {
					said = strings.Replace(said, "nearly full", "full", 1)
				}
			}
			rows = append(rows, strings.Join([]string{tenant, namespace, r.Name, r.Used, r.Hard, fmt.Sprintf("%3.0f%%", 100*r.Share), said}, "\t"))
			tenant, namespace, note = "", "", ""
		}
	}
	var b strings.Builder
	table(&b, style, "TENANT\tNAMESPACE\tRESOURCE\tUSED\tHARD\tSHARE\tNOTE", rows)
	for i, line := range strings.Split(strings.Trim(b.String(), "\n"), "\n") {
		if full[i-1] { // painted afterwards: colours have no width
			line = style.paint(codeYellow, line)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func useNote(u lifecycle.TenantUse) string {
	var notes []string
	if !u.Declared {
		notes = append(notes, "has left the repository")
	}
	switch {
	case u.Missing:
		notes = append(notes, "not in the cluster")
	case len(u.Resources) == 0:
		notes = append(notes, "no quota")
	}
	return strings.Join(notes, "; ")
}
