package explain

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// SchemaFile is where a fleet keeps the schema for editors, from its root.
const SchemaFile = "schemas/kiban.json"

// SchemaLine is the comment by which an editor finds the schema, for a file two folders below the fleet's root.
const SchemaLine = "# yaml-language-server: $schema=../../" + SchemaFile + "\n"

// Kinds are the documents that have a schema.
func Kinds() []string { return []string{"Site", "Addon", "Tenant", "Fleet"} }

// Schema is the JSON schema (draft 7) of a kind of document, in whatever case it is written; "" is one for files that hold any of them, and
// other kinds beside. A field that it does not know is wrong, and what kiban takes is right: also of a patch, which says only a part. That
// a document says enough is for `kiban validate`.
func Schema(kind string) ([]byte, error) {
	all, err := Topics()
	if err != nil {
		return nil, err
	}
	kinds := slices.DeleteFunc(Kinds(), func(k string) bool { return kind != "" && !strings.EqualFold(k, kind) })
	if len(kinds) == 0 {
		return nil, lifecycle.Errorf("", "there is no schema of %q", kind).Try("The kinds are: " + strings.Join(Kinds(), ", ") + ".")
	}
	out := map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Documents of kiban"}
	if kind != "" {
		maps.Copy(out, document(all, kinds[0]))
		out["title"] = kinds[0]
	} else {
		var cases, definitions = []any{}, map[string]any{}
		for _, k := range kinds {
			cases = append(cases, map[string]any{"if": ofTheKind(k), "then": map[string]any{"$ref": "#/definitions/" + k}})
			definitions[k] = document(all, k)
		}
		out["allOf"], out["definitions"] = cases, definitions
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}

// ofTheKind is the condition that a document is kiban's and of a kind.
func ofTheKind(kind string) map[string]any {
	return map[string]any{"required": []string{"apiVersion", "kind"}, "properties": map[string]any{
		"apiVersion": map[string]any{"pattern": "^kiban[.]dev/"}, "kind": map[string]any{"const": kind}}}
}

func document(all []Topic, kind string) map[string]any {
	d := mapping(all, kind)
	d["required"] = []string{"apiVersion", "kind"}
	fields := d["properties"].(map[string]any)
	fields["apiVersion"] = map[string]any{"enum": []string{"kiban.dev/v1alpha1"}}
	fields["kind"] = map[string]any{"const": kind}
	return d
}

// mapping is the schema of the mapping at a path. kustomize's own words ($patch) may stand in every one.
func mapping(all []Topic, path string) map[string]any {
	fields := map[string]any{}
	for _, t := range children(all, path) {
		if t.Kind == "field" {
			fields[t.Name[len(path)+1:]] = property(all, t)
		}
	}
	return map[string]any{"type": []string{"object", "null"}, "properties": fields, "additionalProperties": false,
		"patternProperties": map[string]any{`^[$]`: true}}
}

// property is the schema of a field, with what it means.
func property(all []Topic, t Topic) map[string]any {
	var p map[string]any
	list, isList := strings.CutPrefix(t.Type, "list of ")
	values, isMap := strings.CutPrefix(t.Type, "map of ")
	switch {
	case isList:
		p = map[string]any{"type": []string{"array", "null"}, "items": form(all, t.Name, list)}
	case isMap:
		p = map[string]any{"type": []string{"object", "null"}, "additionalProperties": form(all, t.Name, values)}
	default:
		p = form(all, t.Name, t.Type)
	}
	p["description"] = meaning(t)
	return p
}

// meaning is what an editor shows of a field.
func meaning(t Topic) string {
	text := t.Text
	if t.Default != "" && t.Default != "required" {
		text += "\n\nDefault: " + t.Default
	}
	if t.Example != "" {
		text += fmt.Sprintf("\n\nExample: %s", t.Example)
	}
	return text
}

// form is the schema of a value of a type, as fields.txt and the code call it.
func form(all []Topic, path, kind string) map[string]any {
	scalar := func(pattern string, types ...string) map[string]any {
		return map[string]any{"type": append(types, "null"), "pattern": pattern}
	}
	switch kind {
	case "fields":
		return mapping(all, path)
	case "any mapping":
		return map[string]any{"type": []string{"object", "null"}}
	case "true or false":
		return map[string]any{"type": []string{"boolean", "null"}}
	case "number":
		return scalar("^-?[0-9]+$", "integer", "string")
	case "duration (s, m, h)":
		d := scalar("^(0|([0-9]+([.][0-9]*)?(ns|us|µs|ms|s|m|h))+)$", "string", "integer")
		d["minimum"], d["maximum"] = 0, 0
		return d
	case "count or per cent":
		s := scalar("^[0-9]+%?$", "integer", "string")
		s["minimum"] = 1
		return s
	case "k0s version":
		return scalar("^v[0-9]+[.][0-9]+[.][0-9]+.*[+]k0s[.][0-9]+$", "string")
	case "k0s release":
		return scalar("^v[0-9]+[.][0-9]+", "string")
	case "octal mode":
		return scalar("^0?[0-7]{3}$", "string")
	case "time of day":
		return scalar("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "string")
	case "weekday (Mon to Sun)":
		return map[string]any{"anyOf": []any{map[string]any{"enum": []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}},
			scalar("^[A-Za-z]+$", "string")}}
	}
	if among := choices(path); among != nil {
		return map[string]any{"enum": among}
	}
	return map[string]any{"type": []string{"string", "number", "boolean", "null"}} // kiban takes a plain value for its text
}

// choices are the only values that some fields of text have.
func choices(path string) []string {
	return map[string][]string{
		"Site.spec.provider": {"k0s", "external"}, "Site.spec.api.via": {"direct", "ssh"},
		"Site.spec.upgrade.controlPlane.commit": {"auto", "manual"}, "Site.spec.rehearse.on": {"upgrade", "disruption"},
		"Site.spec.files.on":      {"controllers", "workers", "all"},
		"Tenant.spec.podSecurity": {"privileged", "baseline", "restricted"}, "Tenant.spec.network.policy": {"isolated", "open"},
	}[path]
}
