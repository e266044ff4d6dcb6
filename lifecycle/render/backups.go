package render

import (
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Backups shows backups, one a line.
func Backups(w io.Writer, kept []lifecycle.KeptBackup, style Style) error {
	var rows []string
	for _, b := range kept {
		verified := "never"
		if b.Verified != "" {
			verified = clockOf(b.Verified)
		}
		rows = append(rows, strings.Join([]string{clockOf(b.Taken), b.Version.String(), lifecycle.Bytes(b.Size), verified, provenText(b),
			recipients(b), dash(b.Run),
			b.Name, b.Place}, "\t"))
	}
	return Table(w, style, "TAKEN (UTC)\tK0S\tSIZE\tVERIFIED\tPROVEN\tENCRYPTED FOR\tRUN\tNAME\tPLACE", rows)
}

// provenText is when a backup was last restored in a lab, and how long that took.
func provenText(b lifecycle.KeptBackup) string {
	if b.Proven == nil {
		return "never"
	}
	return clockOf(b.Proven.At) + " (" + Duration(b.Proven.Took) + ")"
}

// clockOf is a time of RFC 3339 in UTC, as tables have it.
func clockOf(t string) string { return strings.TrimSuffix(strings.Replace(t, "T", " ", 1), "Z") }

// recipients names who may open it, by the beginnings of their keys.
func recipients(b lifecycle.KeptBackup) string {
	switch {
	case !b.Encrypted:
		return "nobody"
	case len(b.Recipients) == 0:
		return "its recipients"
	}
	var out []string
	for _, r := range b.Recipients {
		out = append(out, r[:min(len(r), 12)])
	}
	return strings.Join(out, ",")
}
