package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"kiban.dev/kiban/lifecycle"
)

// SoakText shows how long a site has run its versions, healthy, a line each.
func SoakText(w io.Writer, s lifecycle.Soak) error {
	health := "healthy"
	if !s.Healthy {
		health = "not healthy: " + s.Reason
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s.\n", s.Site, health)
	if len(s.Versions) > 0 {
		b.WriteString("\n")
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "WHAT\tVERSION\tNOW\tHEALTHY FOR\tLONGEST")
		for _, v := range s.Versions {
			now, under := "ran", "-"
			if v.Runs {
				now = "runs"
			}
			if !v.Since.IsZero() {
				under = Duration(s.Observed.Sub(v.Since))
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", strings.Replace(v.Name, "/", " ", 1), v.Version, now, under, Duration(v.Longest))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
