package forge

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// SiteFindings is what was found of a site's declaration. Site is "" for the fleet as a whole.
type SiteFindings struct {
	Site        string
	Diagnostics lifecycle.Diagnostics
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
