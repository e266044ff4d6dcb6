package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// AddonsText shows a site's addons, one a line: what is declared beside what the cluster has, and how it is.
func AddonsText(w io.Writer, site string, addons []lifecycle.UnitState, style Style) error {
	if len(addons) == 0 {
		_, err := fmt.Fprintf(w, "%s has no addons, neither declared nor in its cluster.\n", site)
		return err
	}
	var rows []string
	for _, u := range addons {
		rows = append(rows, row(unitName(u.Name), chartText(u), u.Version, installedText(u), revisionText(u.Release), healthText(u), unitNote(u)))
	}
	return Table(w, style, "ADDON\tCHART\tDECLARED\tINSTALLED\tREVISION\tHEALTH\tNOTE", rows)
}

func unitName(unit string) string {
	_, name, _ := strings.Cut(unit, "/")
	return name
}

func chartText(u lifecycle.UnitState) string {
	switch {
	case u.Chart != "":
		return u.Chart
	case u.Release.Chart != "":
		return u.Release.Chart
	case u.Unknown != "":
		return ""
	}
	return "manifests"
}

// installedText is the version that the cluster has: a release's, or "yes" of manifests, which have none.
func installedText(u lifecycle.UnitState) string {
	switch {
	case u.Unknown != "":
		return "?"
	case !u.Installed:
		return "no"
	case u.Release.Version != "":
		return u.Release.Version
	}
	return "yes"
}

func revisionText(r lifecycle.Release) string {
	if r.Revision == 0 {
		return ""
	}
	return strconv.Itoa(r.Revision)
}

// healthText is a unit's health in a word.
func healthText(u lifecycle.UnitState) string {
	switch {
	case u.Unknown != "":
		return "?"
	case !u.Installed, !u.Declared && u.Health.Status == lifecycle.HealthUnknown:
		return ""
	}
	switch u.Health.Status {
	case lifecycle.HealthCurrent:
		return "healthy"
	case lifecycle.HealthInProgress:
		return "in progress"
	case lifecycle.HealthFailed:
		return "failed"
	case lifecycle.HealthNotFound:
		return "incomplete"
	}
	return "?"
}

// unitNote says in a few words what an operator should know of a unit; "" when it is as declared, and well.
func unitNote(u lifecycle.UnitState) string {
	switch {
	case u.NotYet:
		return "no cluster yet"
	case u.Unknown != "":
		return firstLine(u.Unknown)
	}
	var notes []string
	if !u.Declared {
		notes = append(notes, "has left the repository")
	}
	if !u.Installed && u.Declared {
		notes = append(notes, "not installed yet")
	}
	if s := u.Release.Status; s != "" && s != "deployed" && u.Changed == "" {
		notes = append(notes, "its release is "+s)
	}
	if u.Adopts {
		notes = append(notes, "not applied by kiban yet")
	}
	by := u.Drifted()
	if by > 0 {
		notes = append(notes, lifecycle.Count(by, "object")+" changed by hand")
	}
	if n := u.Differing() - by; n > 0 && u.Installed && u.Declared {
		notes = append(notes, lifecycle.Count(n, "object")+" to change")
	}
	switch {
	case u.Installed && u.Release.Version != "" && u.Version != "" && u.Release.Version != u.Version:
		notes = append(notes, u.Version+" is declared")
	case u.Changed != "":
		notes = append(notes, u.Changed)
	}
	if u.Installed && u.Health.Status != lifecycle.HealthCurrent && u.Health.Why != "" {
		notes = append(notes, firstLine(u.Health.Why))
	}
	for _, d := range u.Diagnostics {
		if d.Severity != lifecycle.SeverityWarning {
			notes = append(notes, d.Summary)
		}
	}
	return strings.Join(notes, "; ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// unitRows are the lines of a status: each addon, and what else is not as declared and well.
func unitRows(st lifecycle.State) []string {
	var rows []string
	for _, u := range st.Units {
		if !strings.HasPrefix(u.Name, lifecycle.UnitAddon) && u.Health.Status == lifecycle.HealthCurrent && unitNote(u) == "" {
			continue
		}
		version := installedText(u)
		if version == "yes" || version == "no" {
			version = ""
		}
		health := healthText(u)
		rows = append(rows, row(lifecycle.UnitLabel(u.Name), version, health, unitNote(u)))
	}
	return rows
}

// unitSummary says "3 of 4 addons healthy"; "" when there are none.
func unitSummary(st lifecycle.State) string {
	addons, healthy := 0, 0
	for _, u := range st.Units {
		if strings.HasPrefix(u.Name, lifecycle.UnitAddon) {
			addons++
			if u.Health.Status == lifecycle.HealthCurrent {
				healthy++
			}
		}
	}
	if addons == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %s healthy", healthy, lifecycle.Count(addons, "addon"))
}
