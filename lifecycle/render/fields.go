package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"kiban.dev/kiban/lifecycle"
)

// fieldLines are fields of an object, a line each; with who, those that another wrote say so. Of a definition's descriptions, which change
// by the dozen and change nothing, it is said how many there are.
func fieldLines(c lifecycle.ObjectChange, fields []lifecycle.FieldChange, who bool) []objectLine {
	var out []objectLine
	all := len(fields)
	if c.Kind == "CustomResourceDefinition" {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f lifecycle.FieldChange) bool { return strings.HasSuffix(f.Field, ".description") })
	}
	if n := all - len(fields); n > 0 {
		out = append(out, objectLine{"", "the " + lifecycle.Count(n, "description") + " of its fields"})
		if n == 1 {
			out[0].text = "the description of a field"
		}
	}
	for i, f := range fields {
		if i == fieldsShown && len(fields) > fieldsShown+1 {
			out = append(out, objectLine{"", fmt.Sprintf("and %s (-o json shows all)", lifecycle.Count(len(fields)-i, "more field"))})
			break
		}
		text := fieldText(f)
		if who && f.By != "" {
			text += "  (set by " + byText(f.By, f.At) + ")"
		}
		out = append(out, objectLine{"", text})
	}
	return out
}

// fieldText says "spec.replicas: 2 -> 3", "+ spec.paused: true" of a field that comes, "- spec.paused: true" of one that goes.
func fieldText(f lifecycle.FieldChange) string {
	switch {
	case f.From == "":
		return "+ " + f.Field + ": " + around(plainValue(f.To), 0)
	case f.To == "":
		return "- " + f.Field + ": " + around(plainValue(f.From), 0)
	}
	from, to := plainValue(f.From), plainValue(f.To)
	if from == to && !strings.HasSuffix(from, "…") { // a secret's, which are not shown
		return f.Field + ": " + from
	}
	if from == to { // they were shortened
		return f.Field + ": " + around(from, 0) + " (they differ further on)"
	}
	same := commonPrefix(from, to)
	if image(from) && image(to) {
		if i := strings.LastIndexAny(from[:same], ":@"); i > strings.LastIndex(from, "/") {
			return f.Field + ": " + from + " -> " + to[i+1:] // only the tag differs
		}
	}
	return f.Field + ": " + around(from, same) + " -> " + around(to, same)
}

// plainValue shows a JSON value as YAML would: a string without its quotes, unless it is empty or could be taken for something else.
func plainValue(value string) string {
	var s string
	if text, cut := strings.CutSuffix(value, "…"); cut && strings.HasPrefix(value, `"`) && json.Unmarshal([]byte(text+`"`), &s) == nil {
		s += "…"
	} else if err := json.Unmarshal([]byte(value), &s); err != nil || s == "" || strings.TrimSpace(s) != s {
		return value
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return value
	}
	if json.Valid([]byte(s)) {
		return value // "3" is not 3, and "true" is not true
	}
	return s
}

// image reports whether a value looks like a container image.
func image(s string) bool {
	return strings.Contains(s, "/") && !strings.ContainsAny(s, " \"{") && !strings.Contains(s, "://")
}

// valueShown is how many characters of a value are shown.
const valueShown = 60

// around is the part of a long value where it begins to differ from the other one.
func around(s string, same int) string {
	r := []rune(s)
	if len(r) <= valueShown {
		return s
	}
	start := max(0, len([]rune(s[:same]))-16)
	if start < 8 {
		start = 0
	}
	end := min(len(r), start+valueShown)
	out := string(r[start:end])
	if start > 0 {
		out = "…" + out
	}
	if end < len(r) {
		out += "…"
	}
	return out
}

// commonPrefix is how many bytes two texts begin alike with, in whole characters.
func commonPrefix(a, b string) int {
	for i, r := range a {
		if !strings.HasPrefix(b[min(i, len(b)):], string(r)) {
			return i
		}
	}
	return len(a)
}

// labelOf is the key of a label or annotation that charts change on every object with each version, and that means nothing to what runs.
// template says that it is one of a workload's pods.
func labelOf(field string) (key string, template bool) {
	at := strings.Index(field, "metadata.labels")
	if at < 0 {
		at = strings.Index(field, "metadata.annotations")
	}
	if at < 0 {
		return "", false
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(field[at:], "metadata.labels"), "metadata.annotations")
	key = strings.Trim(rest, `.["]`)
	switch key {
	case "helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "chart", "heritage", "meta.helm.sh/release-name",
		"meta.helm.sh/release-namespace":
		return key, at > 0
	}
	return "", false
}

// follows reports whether a field is a count of the API server's that follows from other changes, and says nothing by itself.
func follows(field string) bool {
	return strings.HasSuffix(field, `["deprecated.daemonset.template.generation"]`)
}

// onlyLabels reports whether nothing of an object changes but such labels. A label of a workload's pods replaces the pods: that is more.
func onlyLabels(c lifecycle.ObjectChange) bool {
	return c.Change == lifecycle.ChangeUpdate && !c.Drift && c.Reason == "" && len(c.Fields) > 0 &&
		!slices.ContainsFunc(c.Fields, func(f lifecycle.FieldChange) bool {
			key, template := labelOf(f.Field)
			return key == "" || template
		})
}

// shownFields are an object's fields without such labels; those of its pods stay where nothing else says why the pods are replaced.
func shownFields(c lifecycle.ObjectChange) []lifecycle.FieldChange {
	var real, labels []lifecycle.FieldChange
	because := false
	for _, f := range c.Fields {
		switch key, template := labelOf(f.Field); {
		case follows(f.Field):
		case key == "":
			real = append(real, f)
			because = because || strings.HasPrefix(f.Field, "spec.template.")
		case template:
			labels = append(labels, f)
		}
	}
	if because {
		return real
	}
	return append(real, labels...)
}

// replacesPods reports whether the change makes a workload's controller replace its pods.
func replacesPods(c lifecycle.ObjectChange) bool {
	return slices.Contains([]string{"Deployment", "DaemonSet", "StatefulSet"}, c.Kind) &&
		slices.ContainsFunc(c.Fields, func(f lifecycle.FieldChange) bool { return strings.HasPrefix(f.Field, "spec.template.") })
}

// labelLine tells in one line of the labels that change on many objects: "labels of 23 objects: helm.sh/chart a -> b".
func labelLine(changes []lifecycle.ObjectChange) string {
	var of []lifecycle.ObjectChange
	values := map[string]string{}
	var keys []string
	for _, c := range changes {
		had := false
		for _, f := range c.Fields {
			key, _ := labelOf(f.Field)
			if key == "" || c.Change != lifecycle.ChangeUpdate || c.Drift {
				continue
			}
			had = true
			value := plainValue(f.To)
			if f.From != "" && f.To != "" {
				value = plainValue(f.From) + " -> " + value
			}
			was, seen := values[key]
			switch {
			case !seen:
				keys = append(keys, key)
				values[key] = value
			case was != value:
				values[key] = ""
			}
		}
		if had {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return ""
	}
	slices.Sort(keys)
	for i, key := range keys {
		keys[i] = strings.TrimRight(key+" "+values[key], " ")
	}
	who := lifecycle.Count(len(of), "object")
	if len(of) == 1 {
		who = of[0].String()
	}
	return "labels of " + who + ": " + strings.Join(keys, ", ")
}
