package lifecycle

import (
	"fmt"
	"strings"
)

// Count says "1 worker", "4 workers".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Enumerate says "a", "a and b", "a, b and c".
func Enumerate(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// ShortRevision shortens a commit as git does, and keeps what is behind it ("-dirty").
func ShortRevision(revision string) string {
	commit, rest, dirty := strings.Cut(revision, "-")
	commit = commit[:min(len(commit), 10)]
	if !dirty || rest == "" {
		return commit
	}
	return commit + "-" + rest
}

// Shorten cuts text to so many characters, with an ellipsis where some are missing.
func Shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	if n < 2 {
		return ""
	}
	return string(r[:n-1]) + "…"
}

// Few names some of many.
func Few(names []string) string {
	if len(names) <= 5 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
}
