package diff

import (
	"maps"
	"regexp"

	"kiban.dev/kiban/lifecycle"
)

// mask replaces what must not be shown of a value at a path.
type mask func(path string, value any) any

const hidden = "(secret)"

// Names that suggest a secret, and texts that may hold one: as plans mask them.
var (
	secretWord  = regexp.MustCompile(`(?i)pass|token|secret|key|datasource|credential`)
	secretField = regexp.MustCompile(`(?i)([a-z0-9_-]*(?:pass|token|secret|key|credential)[a-z0-9_-]*"?:\s+)[^\s,}]+`)
	urlUserinfo = regexp.MustCompile(`://[^/@\s"]*@`)
	secretFlag  = regexp.MustCompile(`(?i)(--?[a-z0-9-]*(?:pass|token|secret|key|credential)[a-z0-9-]*=)[^\s",]+`)
)

// open shows everything: fields of kiban's own documents take secrets by reference only.
func open(_ string, v any) any { return v }

// texts hides credentials within texts: an address may hold some.
func texts(_ string, v any) any { return within(v, false) }

// guarded hides what is below a name that suggests a secret, and credentials within texts.
func guarded(path string, v any) any {
	if secretWord.MatchString(path) {
		return hidden
	}
	return within(v, true)
}

// objectMask hides what a Secret holds; of other objects, credentials within texts.
func objectMask(kind, apiVersion string) mask {
	return func(path string, v any) any {
		if kind != "Secret" || apiVersion != "v1" {
			return within(v, false)
		}
		steps := lifecycle.SplitField(path)
		if len(steps) == 0 || steps[0].Key == "data" || steps[0].Key == "stringData" || steps[0].Key == "metadata" && len(steps) > 1 &&
			steps[1].Key == "annotations" {
			return hidden
		}
		return v
	}
}

// within goes down into a value; names says that names of fields count.
func within(v any, names bool) any {
	switch v := v.(type) {
	case string:
		v = secretField.ReplaceAllString(urlUserinfo.ReplaceAllString(v, "://(masked)@"), "${1}(masked)")
		return secretFlag.ReplaceAllString(v, "${1}(masked)")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = within(v[i], names)
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for k := range v {
			out[k] = within(v[k], names)
			if names && secretWord.MatchString(k) {
				out[k] = hidden
			}
		}
		return out
	}
	return v
}
