package readiness

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestNames: each name that a rule gives its findings is known, and none that no rule gives; the fleet's own risks are known, also one
// whose file has a mistake, which is told with its line.
func TestNames(t *testing.T) {
	given := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`(?:Rule: |f\.Rule, f\.Rank, f\.Summary = |f\.Rule, f\.Rank = )"([a-z-]+)"|return "((?:removed|deprecated)-api)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			given[m[1]+m[2]] = true
		}
	}
	for _, name := range []string{lifecycle.RuleClock, lifecycle.RuleEtcdCorrupt, lifecycle.RuleEtcdMember, lifecycle.RuleEtcdPace,
		lifecycle.RuleEtcdSpace, lifecycle.RuleNotSeen} {
		given[name] = true
	}
	delete(given, "accepted")
	if want := sortedKeys(given); !slices.Equal(want, slices.Sorted(slices.Values(ruleNames()))) {
		t.Errorf("rules give %q, known are %q", want, ruleNames())
	}
	broken := lifecycle.RiskFile{Path: "risks/our-storage.yaml", Text: []byte("id: our-storage\nbogus: 1\n")}
	own := &lifecycle.Answer[[]lifecycle.RiskFile]{Value: []lifecycle.RiskFile{broken}}
	for _, name := range []string{"our-storage", "metallb-as-numbers", "removed-api"} {
		if !slices.Contains(Names(own), name) {
			t.Errorf("%s is not known", name)
		}
	}
	ds := RiskMistakes(own)
	if len(ds) == 0 || !strings.HasPrefix(ds[0].Subject, "risks/our-storage.yaml:") || ds.Err() != nil || RiskMistakes(nil) != nil {
		t.Errorf("%+v", ds)
	}
}

// A remedy names --fix only for what it writes anew.
func TestRemedyNamesFixWhereItFixes(t *testing.T) {
	l := &apiLook{Input: Input{Site: lifecycle.Site{Name: "lab"}, Target: lifecycle.Version{Major: 1, Minor: 37}}, table: tableOf(APIs())}
	for _, c := range []struct {
		version, kind string
		fixes         bool
	}{{"policy/v1beta1", "PodDisruptionBudget", true}, {"networking.k8s.io/v1beta1", "Ingress", false}} {
		a, _ := l.table.kind(c.version, c.kind)
		if got := l.redeclare("shop", a, "a.yaml:1"); strings.Contains(got, "--fix") != c.fixes {
			t.Errorf("%s: %s", c.kind, got)
		}
	}
}
