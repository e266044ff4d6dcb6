package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// SoakText shows how long a site has run its versions, healthy, a line each.
func SoakText(w io.Writer, s lifecycle.Soak, style Style) error {
	health := "healthy"
	if !s.Healthy {
		health = "not healthy: " + s.Reason
	}
	var rows []string
	for _, v := range s.Versions {
		now, under := "ran", "-"
		if v.Runs {
			now = "runs"
		}
		if !v.Since.IsZero() {
			under = Duration(s.Observed.Sub(v.Since))
		}
		rows = append(rows, row(strings.Replace(v.Name, "/", " ", 1), v.Version, now, under, Duration(v.Longest)))
	}
	var b strings.Builder
	b.WriteString(strings.Join(wrapText(fmt.Sprintf("%s is %s.", s.Site, health), 4, style.columns), "\n") + "\n")
	table(&b, style, "WHAT\tVERSION\tNOW\tHEALTHY FOR\tLONGEST", rows)
	_, err := io.WriteString(w, b.String())
	return err
}
