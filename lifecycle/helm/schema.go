package helm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"kiban.dev/kiban/lifecycle"
)

var (
	// violation is one line of what the schema validator says: "- at '/speaker/replicas': got string, want integer".
	violation = regexp.MustCompile(`^\s*- at '([^']*)'(?: \[[^\]]*\])?: (.*)$`)
	// quoted is a value that a violation repeats.
	quoted = regexp.MustCompile(`^'.*' (does not match|is not valid)`)
)

// contain keeps the schemas of a chart, and of those in it, to what is in them: Helm would read files of this machine and fetch addresses
// that they refer to, while a plan is made. What is referred to elsewhere is not held against the values then; the rest is, and the API
// judges what is rendered.
func contain(ch *chart.Chart) {
	ch.Schema = contained(ch.Schema)
	for _, d := range ch.Dependencies() {
		contain(d)
	}
}

// contained is a schema without references to others. What is no JSON stays as it is: nothing is read for it.
func contained(text []byte) []byte {
	var schema any
	if len(text) == 0 || json.Unmarshal(text, &schema) != nil {
		return text
	}
	var own []string // the names that it gives itself and its parts
	each(schema, func(m map[string]any) {
		for _, key := range []string{"$id", "id"} {
			if id, ok := m[key].(string); ok {
				own = append(own, strings.TrimSuffix(id, "#"))
			}
		}
	})
	leads := false
	each(schema, func(m map[string]any) {
		for _, key := range []string{"$ref", "$dynamicRef", "$recursiveRef", "$schema"} {
			to, ok := m[key].(string)
			name, _, _ := strings.Cut(to, "#")
			if ok && name != "" && !slices.Contains(own, name) && !(key == "$schema" && published.MatchString(name)) {
				delete(m, key)
				leads = true
			}
		}
	})
	if !leads {
		return text // as it was written
	}
	out, err := json.Marshal(schema)
	if err != nil { // it was JSON
		return text
	}
	return out
}

// published are the drafts of JSON Schema, which the validator has with it.
var published = regexp.MustCompile(`^https?://json-schema\.org/(draft-0[467]|draft/20(19-09|20-12))/schema$`)

// each visits all mappings of a document.
func each(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, below := range v {
			each(below, visit)
		}
	case []any:
		for _, below := range v {
			each(below, visit)
		}
	}
}

// violations lists what is wrong with an addon's values, one diagnostic a path. Values are not repeated.
func violations(err error, a lifecycle.Addon) error {
	text := err.Error()
	var found lifecycle.Diagnostics
	chart := a.Chart.Name
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		m := violation.FindStringSubmatch(line)
		if m == nil {
			if name, ok := strings.CutSuffix(line, ":"); ok && !strings.Contains(name, " ") && name != "" {
				chart = name
			}
			continue
		}
		if strings.HasSuffix(m[2], " failed") { // "allOf failed": the lines below say why
			continue
		}
		path := valuePath(m[1])
		if chart != a.Chart.Name {
			path = strings.TrimSuffix(chart+"."+path, ".")
		}
		found = append(found, lifecycle.Errorf(a.Source, "values of addon %s: %s: %s", a.Name, cmp.Or(path, "the whole"),
			quoted.ReplaceAllString(m[2], "the value $1")).
			Because(fmt.Sprintf("the schema of chart %s %s does not allow it", a.Chart.Name, a.Chart.Version)).
			Try("Correct spec.chart.values; helm show values lists what the chart takes").
			About(valuesField(path)).
			From(err))
	}
	if len(found) == 0 {
		return lifecycle.Errorf(a.Source, "the values of addon %s do not fit the chart", a.Name).
			Because(text).
			Try("Correct spec.chart.values").
			About(valuesField("")).
			Hiding(err)
	}
	return found
}

// valuesField is the path of a value in the addon's document.
func valuesField(path string) string {
	const values = "spec.chart.values"
	if path == "" || strings.HasPrefix(path, "[") {
		return values + path
	}
	return values + "." + path
}

// valuePath turns a JSON pointer into the path that plans print.
func valuePath(pointer string) string {
	if pointer == "" {
		return ""
	}
	path := ""
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if isIndex(step) {
			path += "[" + step + "]"
			continue
		}
		path = lifecycle.FieldKey(path, strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
	}
	return path
}

// isIndex reports whether a step of a pointer counts items. A key of a map that is a number is taken for one; they are rare.
func isIndex(step string) bool {
	_, err := strconv.ParseUint(step, 10, 16)
	return err == nil
}
