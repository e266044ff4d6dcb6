package risks

import (
	"encoding/json"

	"kiban.dev/kiban/lifecycle"
)

type schema = map[string]any

// Schema is the JSON schema of a risk file (draft 2020-12), from the same tables that Read goes by, so that other tools can use these files
// and editors can check them.
func Schema() ([]byte, error) {
	text := schema{"type": "string", "minLength": 1}
	version := schema{"type": "string", "pattern": `^v\d+\.\d+(\.\d+(-(alpha|beta|rc)\.\d+)?\+k0s\.\d+)?$`}
	versions := schema{"type": "object", "additionalProperties": false, "minProperties": 1,
		"properties": schema{"since": version, "before": version}}
	var forms []any
	for _, row := range kindRows() {
		forms = append(forms, conditionSchema(row))
	}
	list := schema{"type": "array", "minItems": 1, "items": schema{"$ref": "#/$defs/condition"}}
	forms = append(forms, schema{"type": "object", "additionalProperties": false, "required": []string{kindAny},
		"properties": schema{kindAny: schema{"type": "array", "minItems": 1, "items": schema{"$ref": "#/$defs/condition"},
			"description": "one of these holds"}}})
	required, _ := fields()
	all := schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A known risk of a version", "type": "object",
		"additionalProperties": false, "required": required,
		"anyOf": []any{schema{"required": []string{"to"}}, schema{"required": []string{"when"}}},
		"properties": schema{
			"id":          schema{"type": "string", "pattern": idForm.String(), "description": "its name, and its file's"},
			"title":       schema{"type": "string", "minLength": 1, "description": "what happens, in one line"},
			"about":       schema{"type": "string", "minLength": 1, "description": "what it is a risk of: k0s, kubernetes, metallb"},
			"rank":        schema{"enum": lifecycle.Ranks()},
			"from":        versions,
			"to":          versions,
			"when":        list,
			"unless":      list,
			"consequence": text, "remedy": text,
			"fixedIn": schema{"type": "array", "items": text},
			"sources": schema{"type": "array", "minItems": 1, "items": schema{"type": "string", "pattern": "^https://"}},
		},
		"$defs": schema{"condition": schema{"oneOf": forms}},
	}
	b, err := json.MarshalIndent(all, "", "  ")
	return append(b, '\n'), err
}

func conditionSchema(row kindRow) schema {
	args, required := schema{}, []string{}
	for _, a := range row.args {
		// a version such as 5.8 may be written without quotes, a form such as 2, too
		value := schema{"type": []string{"string", "number", "boolean"}}
		if a.form != nil {
			value["pattern"] = a.form.String()
		}
		if a.list {
			value = schema{"type": "array", "items": value}
		}
		value["description"] = a.means
		args[a.name] = value
		if a.required {
			required = append(required, a.name)
		}
	}
	inner := schema{"type": "object", "additionalProperties": false, "properties": args}
	if len(required) > 0 {
		inner["required"] = required
	}
	return schema{"type": "object", "additionalProperties": false, "description": row.means, "required": []string{row.kind},
		"properties": schema{row.kind: inner}}
}
