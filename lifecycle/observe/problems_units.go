package observe

import "kiban.dev/kiban/lifecycle"

// unitProblems are what is wrong with addons, tenants and objects, or differs from the declaration.
func unitProblems(site lifecycle.Site, st lifecycle.State) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, u := range st.Units {
		add := func(severity lifecycle.Severity, summary, detail, hint string) {
			ds = append(ds, lifecycle.Findingf(severity, lifecycle.UnitLabel(u.Name), "%s", summary).Because(detail).Try(hint))
		}
		plan := "kiban plan " + site.Name
		if u.Unknown != "" {
			add(lifecycle.SeverityError, "it is not known how it is", u.Unknown, "")
			continue
		}
		ds = append(ds, u.Diagnostics...)
		switch {
		case !u.Installed && u.Declared:
			add(lifecycle.SeverityWarning, "it is declared, and not in the cluster yet", "", plan)
			continue
		case u.Health.Status == lifecycle.HealthFailed, u.Health.Status == lifecycle.HealthNotFound:
			add(lifecycle.SeverityError, "it is not healthy", u.Health.Why, "")
		case u.Health.Status == lifecycle.HealthInProgress:
			add(lifecycle.SeverityWarning, "it is not healthy yet", u.Health.Why, "")
		}
		switch drift := u.Drifted(); {
		case !u.Declared:
			add(lifecycle.SeverityWarning, "it has left the repository, and is still in the cluster", "", plan)
		case drift > 0:
			add(lifecycle.SeverityWarning, lifecycle.Count(drift, "object")+" changed by hand", "", plan)
		case u.Differing() > 0 || u.Changed != "":
			add(lifecycle.SeverityWarning, "it is not as declared", u.Changed, plan)
		}
	}
	return ds
}
