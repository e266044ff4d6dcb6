package helm

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/Masterminds/sprig/v3"
)

// maxText is how many bytes one call of a function may make of a few: more than any object of a cluster may have.
const maxText = 16 << 20

// functions take the place of those that make a text of any length in one go: whoever watches a rendering comes too late for these. All
// others grow step by step.
func functions() map[string]any {
	own := sprig.TxtFuncMap()
	out := map[string]any{
		"repeat": func(count int, text string) (string, error) {
			return within(float64(count)*float64(len(text)), func() string { return strings.Repeat(text, count) })
		},
		"replace": func(old, by, text string) (string, error) {
			return within(float64(strings.Count(text, old))*float64(len(by)), func() string { return strings.ReplaceAll(text, old, by) })
		},
	}
	if join, ok := own["join"].(func(string, any) string); ok {
		out["join"] = func(between string, list any) (string, error) {
			n := 0
			if v := reflect.ValueOf(list); v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
				n = v.Len()
			}
			return within(float64(n)*float64(len(between)), func() string { return join(between, list) })
		}
	}
	for _, name := range []string{"indent", "nindent"} {
		if indent, ok := own[name].(func(int, string) string); ok {
			out[name] = func(spaces int, text string) (string, error) {
				return within(float64(spaces)*float64(1+strings.Count(text, "\n")), func() string { return indent(spaces, text) })
			}
		}
	}
	for _, name := range []string{"randAlphaNum", "randAlpha", "randAscii", "randNumeric"} {
		if random, ok := own[name].(func(int) string); ok {
			out[name] = func(count int) (string, error) { return within(float64(count), func() string { return random(count) }) }
		}
	}
	if random, ok := own["randBytes"].(func(int) (string, error)); ok {
		out["randBytes"] = func(count int) (string, error) {
			if _, err := within(float64(count), func() string { return "" }); err != nil {
				return "", err
			}
			return random(count)
		}
	}
	return out
}

// within makes a text unless it would be too long.
func within(length float64, text func() string) (string, error) {
	if length > maxText {
		return "", fmt.Errorf("this would be %.0f bytes of text, and more than %d MiB is not made in one go", length, maxText>>20)
	}
	return text(), nil
}
