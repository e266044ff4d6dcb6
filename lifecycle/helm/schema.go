package helm

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

var (
	// violation is one line of what the schema validator says: "- at '/speaker/replicas': got string, want integer".
	violation = regexp.MustCompile(`^\s*- at '([^']*)'(?: \[[^\]]*\])?: (.*)$`)
	// quoted is a value that a violation repeats.
	quoted = regexp.MustCompile(`^'.*' (does not match|is not valid)`)
)

// violations lists what is wrong with an addon's values, one diagnostic a path. Values are not repeated.
func violations(err error, a lifecycle.Addon) error {
	text := err.Error()
	if strings.Contains(text, "HTTP request failed for") || strings.Contains(text, "HTTP request to") {
		return lifecycle.Errorf(a.Source, "the chart's schema refers to one on the network, which cannot be had").
			Because(text).
			Try("Use a version of the chart whose schema is whole, or a mirror that answers").
			Hiding(err)
	}
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
