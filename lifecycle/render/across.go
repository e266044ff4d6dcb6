package render

import (
	"fmt"
	"regexp"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// overlayPlace is a place in a site's overlay: the site, the file, and the line.
var overlayPlace = regexp.MustCompile(`^overlays/([^/]+)(/[^:]*)?(:\d+)?$`)

// AcrossSites puts findings together that say the same of three sites or more, but for the site's name: what a base has made wrong in 3,500
// sites is one finding, of the first of them, with the others named or counted. The order is that of the first of each.
func AcrossSites(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	type key struct {
		severity                          lifecycle.Severity
		rule, file, summary, detail, hint string
	}
	keys, sites := make([]key, len(ds)), map[key][]string{}
	for i, d := range ds {
		at := overlayPlace.FindStringSubmatch(d.Subject)
		if at == nil || len(d.Subjects) > 0 {
			continue
		}
		site := at[1]
		about := func(text string) string { return lifecycle.AboutAny(text, site) }
		keys[i] = key{d.Severity, d.Rule, "in" + at[2], about(d.Summary), about(d.Detail), about(d.Hint)}
		if of := sites[keys[i]]; len(of) == 0 || of[len(of)-1] != site { // once more in the same site it stands by itself
			sites[keys[i]] = append(of, site)
		} else {
			keys[i] = key{}
		}
	}
	var out lifecycle.Diagnostics
	shown := map[key]bool{}
	for i, d := range ds {
		switch of := sites[keys[i]]; {
		case len(of) < foldFrom:
			out = append(out, d)
		case !shown[keys[i]]:
			shown[keys[i]] = true
			out = append(out, sameOf(d, of))
		}
	}
	return out
}

func sameOf(d lifecycle.Diagnostic, sites []string) lifecycle.Diagnostic {
	others := sites[1:]
	more := fmt.Sprintf("The same is so of %s more: %s.", lifecycle.Count(len(others), "site"), lifecycle.Few(others))
	d.Detail = strings.TrimPrefix(strings.TrimSpace(d.Detail)+"\n"+more, "\n")
	if strings.Contains(d.Hint, sites[0]) {
		d.Hint = lifecycle.AndSo(d.Hint)
	}
	return d
}
