package diff

import (
	"regexp"

	"kiban.dev/kiban/lifecycle"
)

// mask replaces what must not be shown of a value at a path.
type mask func(path string, value any) any

const hidden = lifecycle.Masked

// open shows everything: fields of kiban's own documents take secrets by reference only.
func open(_ string, v any) any { return v }

// texts hides credentials within texts: an address may hold some.
func texts(path string, v any) any {
	return lifecycle.MaskValue(path, v, func(string, any) bool { return false }, hidden)
}

// guarded hides what is below a name that suggests a secret, documents within the document, and credentials within texts.
func guarded(path string, v any) any {
	return lifecycle.MaskValue(path, v, func(path string, _ any) bool { return lifecycle.SecretPath(path) }, hidden)
}

// shownVariables are those of a host's environment that are shown, credentials in them aside. Others may be anything, and plans do not
// show them either.
var shownVariables = regexp.MustCompile(`^(?i:https?_proxy|all_proxy|no_proxy|lang|lc_[a-z]+|tz|path)$`)

// hostMask is guarded, and hides a host's environment.
func hostMask(path string, v any) any {
	steps := lifecycle.SplitField(path)
	if len(steps) == 0 || steps[0].Key != "environment" {
		return guarded(path, v)
	}
	if len(steps) > 1 {
		if shownVariables.MatchString(steps[1].Key) {
			return texts(path, v)
		}
		return hidden
	}
	all, ok := v.(map[string]any)
	if !ok {
		return hidden
	}
	out := map[string]any{}
	for name, value := range all {
		out[name] = hostMask("environment."+name, value)
	}
	return out
}

// objectMask hides what a Secret holds; of other objects, what is called a secret, and credentials within texts.
func objectMask(kind, apiVersion string) mask {
	return func(path string, v any) any {
		if kind != "Secret" || apiVersion != "v1" {
			return lifecycle.MaskValue(path, v, lifecycle.SecretOfObject, hidden)
		}
		steps := lifecycle.SplitField(path)
		if len(steps) == 0 || steps[0].Key == "data" || steps[0].Key == "stringData" || steps[0].Key == "metadata" && len(steps) > 1 &&
			steps[1].Key == "annotations" {
			return hidden
		}
		return v
	}
}
