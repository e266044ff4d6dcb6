package lifecycle

import (
	"regexp"
	"strings"
)

// What a secret looks like in a program's own words: join tokens, keys and certificates are long runs of base64; bootstrap tokens have a
// form of their own; others are said to be one.
var (
	longBase64     = regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}={0,2}(\.[A-Za-z0-9_-]+)*`)
	bootstrapToken = regexp.MustCompile(`\b[a-z0-9]{6}\.[a-z0-9]{16}\b`)
	namedSecret    = regexp.MustCompile(
		`(?i)((?:token|password|passwd|secret|authorization|api[-_]?key)"?\s*[:=]\s*"?|bearer\s+)((?:bearer\s+|basic\s+)?[^\s",]{6,})`,
	)
	passwordInURL = regexp.MustCompile(`(://[^/\s:@]+:)[^/\s@]+@`)
)

// MaskLog hides what looks like a secret within a line that a program wrote. Unlike MaskText it goes by the look of a word too, for
// nothing is known of the line. It would rather hide too much.
func MaskLog(line string) string {
	line = passwordInURL.ReplaceAllString(line, "${1}"+Masked+"@")
	line = bootstrapToken.ReplaceAllString(line, Masked)
	line = longBase64.ReplaceAllStringFunc(line, func(s string) string {
		if mixed := strings.ToLower(s) != s && strings.ToUpper(s) != s && strings.ContainsAny(s, "0123456789"); !mixed {
			return s // a path, a digest, a pod's name
		}
		return Masked
	})
	return namedSecret.ReplaceAllString(line, "${1}"+Masked)
}
