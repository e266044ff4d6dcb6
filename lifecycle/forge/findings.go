package forge

import (
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// SiteFindings is what was found of a site's declaration.
type SiteFindings struct {
	// Site is "" for the fleet as a whole.
	Site  string `json:"site,omitempty"`
	Valid bool   `json:"valid"`
	// Summary is what a valid site has, in words.
	Summary     string                `json:"summary,omitempty"`
	Diagnostics lifecycle.Diagnostics `json:"diagnostics,omitempty"`
}

// Verdicts writes a line for each site: whether it is valid, and how much was found.
func Verdicts(w io.Writer, all []SiteFindings) error {
	var b strings.Builder
	for _, v := range all {
		line := v.name() + ": valid, " + v.Summary
		if !v.Valid {
			line = v.name() + ": not valid"
		}
		if n := len(v.Diagnostics); n > 0 {
			line += " (" + lifecycle.Count(n, "finding") + ")"
		}
		b.WriteString(strings.Replace(line, "valid,  (", "valid (", 1) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// name is the site's, for people.
func (f SiteFindings) name() string {
	if f.Site == "" {
		return "the fleet as a whole"
	}
	return f.Site
}

var anyFileLine = regexp.MustCompile(`^(.+):(\d+)$`)

// place is the file that a finding is about, relative to the repository, and the line in it, from 1; ok is false when it names none,
// but a host, an object of a cluster, or a file elsewhere.
func place(d lifecycle.Diagnostic) (file string, line int, ok bool) {
	file, line = d.Subject, 1
	if m := anyFileLine.FindStringSubmatch(d.Subject); m != nil {
		file = m[1]
		if n, err := strconv.Atoi(m[2]); err == nil && n > 0 {
			line = n
		}
	}
	if overlay, rest, _ := strings.Cut(strings.TrimPrefix(file, "overlays/"), "/"); file == "overlays/"+overlay && rest == "" {
		file += "/kustomization.yaml" // a finding about a site as a whole
	}
	known := slices.Contains([]string{".yaml", ".yml", ".json", ".lock"}, path.Ext(file)) || path.Base(file) == "known_hosts"
	if !known || path.IsAbs(file) || path.Clean(file) != file || strings.HasPrefix(file, "../") || strings.ContainsAny(file, " \n") ||
		strings.Contains(file, "://") {
		return "", 0, false
	}
	return file, line, true
}

// warnings are the others.
func (f SiteFindings) warnings() lifecycle.Diagnostics {
	return slices.DeleteFunc(slices.Clone(f.Diagnostics), func(d lifecycle.Diagnostic) bool { return d.Severity != lifecycle.SeverityWarning })
}
