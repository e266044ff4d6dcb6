package lifecycle

import (
	"maps"
	"regexp"
	"strconv"
)

// What is told of a declaration, an object, an argument or a log (masklog.go) must not tell a secret. These rules decide by names and by
// the look of a text; all that shows values asks them. They would rather hide too much. Two things are known to be secret without a rule:
// the values of a Secret (kube/fields.go, digest.go), and the address of a webhook (forge/webhook.go).

// Masked stands where a secret was.
const Masked = "(masked)"

const secretNames = `pass|token|secret|key|credential`

var (
	secretWord = regexp.MustCompile(`(?i)` + secretNames + `|datasource`)
	// ownDocument is a text of k0s's configuration that is a document of its own: a secret within it has no name that could be seen.
	ownDocument = regexp.MustCompile(`\.extensions\.helm\.charts\[[^\]]*\]\.values($|[.\[])|\.patch\.content$`)
	// secretEnd is the end of a name that means a secret itself, and not another object, as secretName does.
	secretEnd = regexp.MustCompile(
		`(?i)(pass|passwd|password|passphrase|token|secret|credentials?|(api|access|private|secret|encryption|signing)[-_.]?key|datasource|dsn)$`)

	secretField = regexp.MustCompile(`(?i)([a-z0-9_-]*(?:` + secretNames + `)[a-z0-9_-]*(?:"\s*:\s*|'\s*:\s*|:[ \t]+))` +
		`("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}][^\n,}]*)`)
	secretFlag     = regexp.MustCompile(`(?i)(--?[a-z0-9-]*(?:` + secretNames + `)[a-z0-9-]*=)[^\s",]+`)
	secretVariable = regexp.MustCompile(`(\b[A-Z0-9_]*(?:PASS|TOKEN|SECRET|KEY|CREDENTIAL)[A-Z0-9_]*=)[^\s",]+`)
	urlUserinfo    = regexp.MustCompile(`://[^/@\s"]*@`)
)

// SecretPath reports whether what is at a path of a declaration, or given with a flag, is not shown: a name in it suggests a secret, or it
// is a document within k0s's configuration, such as a chart's values or a patch.
func SecretPath(path string) bool {
	return secretWord.MatchString(path) || ownDocument.MatchString(path)
}

// SecretName reports whether a variable or a field that is called so means a secret itself: API_TOKEN, and not TOKEN_FILE.
func SecretName(name string) bool { return secretEnd.MatchString(name) }

// MaskText hides credentials within a text: in URLs, and in flags, variables and fields whose name suggests one.
func MaskText(text string) string {
	text = secretField.ReplaceAllString(urlUserinfo.ReplaceAllString(text, "://"+Masked+"@"), "${1}"+Masked)
	return secretVariable.ReplaceAllString(secretFlag.ReplaceAllString(text, "${1}"+Masked), "${1}"+Masked)
}

// MaskValue is a JSON value at a path without what may not be shown: hides says so of a path, and hidden stands in its place. Texts are
// masked (MaskText). The value itself is not changed.
func MaskValue(path string, value any, hides func(path string, value any) bool, hidden string) any {
	if hides(path, value) {
		return hidden
	}
	switch value := value.(type) {
	case string:
		return MaskText(value)
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			at := path + "[" + strconv.Itoa(i) + "]"
			if m, ok := item.(map[string]any); ok {
				if name, ok := m["name"].(string); ok {
					at = path + "[name=" + name + "]"
				}
			}
			out[i] = MaskValue(at, item, hides, hidden)
		}
		return out
	case map[string]any:
		out := maps.Clone(value)
		for key, below := range value {
			out[key] = MaskValue(FieldKey(path, key), below, hides, hidden)
		}
		return out
	}
	return value
}

// SecretOfObject reports whether a value of a Kubernetes object that is no Secret is one all the same: a text whose name means one, or a
// variable of a container that is called so.
func SecretOfObject(path string, value any) bool {
	if text, ok := value.(string); !ok || text == "" {
		return false
	}
	steps := SplitField(path)
	n := len(steps)
	switch {
	case n == 0:
		return false
	case n > 1 && steps[n-1].Key == "value" && steps[n-2].Named:
		return SecretName(steps[n-2].Key)
	}
	return !steps[n-1].Item && SecretName(steps[n-1].Key)
}
