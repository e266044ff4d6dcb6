package lifecycle

import (
	"fmt"
	"strings"
	"time"
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

// Span says how long something takes as people say it, by its two largest units: "5 days 19 h", "3 h 20 min", "4 min".
func Span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case minutes < 1:
		return "less than a minute"
	case days > 0 && hours > 0:
		return fmt.Sprintf("%s %d h", Count(days, "day"), hours)
	case days > 0:
		return Count(days, "day")
	case hours > 0 && minutes%60 > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	case hours > 0:
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d min", minutes)
}
