package fleet

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/calendar"
)

// renovateFile is where a fleet declares what Renovate proposes; what its presets from elsewhere say is not known.
const renovateFile = "renovate.json5"

// renovateRule is what of a packageRule says how long a version must be out.
type renovateRule struct {
	MatchFileNames    []string `yaml:"matchFileNames"`
	MatchDepNames     []string `yaml:"matchDepNames"`
	MatchPackageNames []string `yaml:"matchPackageNames"`
	MatchDepTypes     []string `yaml:"matchDepTypes"`
	MatchDatasources  []string `yaml:"matchDatasources"`
	MatchManagers     []string `yaml:"matchManagers"`
	MatchUpdateTypes  []string `yaml:"matchUpdateTypes"`
	Age               string   `yaml:"minimumReleaseAge"`
}

// defaultAge is what kiban's own preset asks for production, where the fleet's file does not say it.
const defaultAge = 14 * 24 * time.Hour

// Ages are the minimum release ages of k0s that a fleet's Renovate configuration declares, by site.
func Ages(dir string) func(site string) calendar.Age {
	content, err := os.ReadFile(filepath.Join(dir, renovateFile))
	rules, ok := renovateRules(content)
	return func(site string) calendar.Age {
		if err != nil || !ok {
			return calendar.Age{Least: defaultAge, From: "as in kiban's preset, for " + renovateFile + " does not say"}
		}
		age := calendar.Age{From: renovateFile}
		for _, r := range rules {
			if d, says := renovateAge(r.Age); says && r.isOfK0s() && matchesFile(r.MatchFileNames, "overlays/"+site+"/version.yaml") {
				age.Least = d // a later rule wins
			}
		}
		return age
	}
}

// renovateRules reads the rules of a configuration. JSON5 is YAML but for its comments.
func renovateRules(content []byte) ([]renovateRule, bool) {
	var lines []string
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			lines = append(lines, strings.ReplaceAll(line, "\t", "  "))
		}
	}
	var file struct {
		Rules []renovateRule `yaml:"packageRules"`
	}
	err := yaml.Unmarshal([]byte(strings.Join(lines, "")), &file)
	return file.Rules, err == nil && len(file.Rules) > 0
}

// isOfK0s reports whether a rule is about k0s's minor releases, or about all.
func (r renovateRule) isOfK0s() bool {
	has := func(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }
	return has(r.MatchDepNames, "k0s") && has(r.MatchPackageNames, "k0sproject/k0s") && len(r.MatchDepTypes) == 0 &&
		has(r.MatchDatasources, "github-releases") && has(r.MatchManagers, "custom.jsonata") && has(r.MatchUpdateTypes, "minor")
}

// renovateAge reads "3 days", "1 week", "36 hours".
func renovateAge(s string) (time.Duration, bool) {
	n, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	count, err := strconv.Atoi(n)
	units := map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour}
	d, known := units[strings.TrimSuffix(unit, "s")]
	return time.Duration(count) * d, err == nil && known && count >= 0
}

// matchesFile reports whether Renovate's patterns match a file: one that does, and none that begins with "!" and does.
func matchesFile(patterns []string, file string) bool {
	if len(patterns) == 0 {
		return true
	}
	hit := !slices.ContainsFunc(patterns, func(p string) bool { return !strings.HasPrefix(p, "!") })
	for _, p := range patterns {
		not := strings.HasPrefix(p, "!")
		if globs(strings.TrimPrefix(p, "!"), file) {
			if not {
				return false
			}
			hit = true
		}
	}
	return hit
}

// globs reports whether a pattern with {a,b}, ** and * matches a path. One with anything else matches as path.Match has it.
func globs(pattern, file string) bool {
	if open := strings.IndexByte(pattern, '{'); open >= 0 {
		if end := strings.IndexByte(pattern[open:], '}'); end > 0 {
			for one := range strings.SplitSeq(pattern[open+1:open+end], ",") {
				if globs(pattern[:open]+one+pattern[open+end+1:], file) {
					return true
				}
			}
			return false
		}
	}
	if !strings.Contains(pattern, "**") {
		ok, _ := path.Match(pattern, file)
		return ok
	}
	quoted := strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*\*`, `.*`, `\*`, `[^/]*`).Replace(regexp.QuoteMeta(pattern))
	ok, err := regexp.MatchString("^"+quoted+"$", file)
	return err == nil && ok
}
