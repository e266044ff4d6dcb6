package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"kiban.dev/kiban/lifecycle"
)

// Backups shows backups, one a line.
func Backups(w io.Writer, kept []lifecycle.KeptBackup) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TAKEN (UTC)\tK0S\tSIZE\tVERIFIED\tFOR\tRUN\tPLACE\tNAME")
	for _, b := range kept {
		verified := "never"
		if b.Verified != "" {
			verified = clockOf(b.Verified)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clockOf(b.Taken), b.Version, Bytes(b.Size), verified, recipients(b), dash(b.Run),
			b.Place, b.Name)
	}
	return tw.Flush()
}

// clockOf is a time of RFC 3339 in UTC, as tables have it.
func clockOf(t string) string { return strings.TrimSuffix(strings.Replace(t, "T", " ", 1), "Z") }

// recipients names who may open it, by the beginnings of their keys.
func recipients(b lifecycle.KeptBackup) string {
	switch {
	case !b.Encrypted:
		return "anybody"
	case len(b.Recipients) == 0:
		return "its recipients"
	}
	var out []string
	for _, r := range b.Recipients {
		out = append(out, r[:min(len(r), 12)])
	}
	return strings.Join(out, ",")
}

// Bytes is a size for people.
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
