package lifecycle

import (
	"regexp"
	"strings"
	"time"
)

// Waiting decides which reasons for a wait are worth telling: those that say something new. Its zero value has told nothing. It is not for
// several goroutines.
type Waiting struct {
	last string
	told map[string]time.Time // by gist, when it was told last
}

// again is how long something that was told is not told again, when other reasons were told in between: a container that crashes and is
// started again goes through the same few states for as long as it is waited for.
const again = time.Minute

// News reports whether the reason is to be told now, and notes that it was.
func (w *Waiting) News(reason string, now time.Time) bool {
	g := Gist(reason)
	if g == w.last {
		return false
	}
	w.last = g
	if at, told := w.told[g]; told && now.Sub(at) < again {
		return false
	}
	if w.told == nil {
		w.told = map[string]time.Time{}
	}
	w.told[g] = now
	return true
}

// The parts of a reason that change while what it says does not: how long something has taken or will take, and how often it was tried. A
// quantity such as cpu=500m is none of them.
var (
	aDuration = regexp.MustCompile(`(^|[^\w.=:/-])(?:\d+(?:\.\d+)?(?:h|ms|m|s|µs|ns|d))+\b`)
	aSpan     = regexp.MustCompile(`\bin \d+ (?:days?|h|min)(?: \d+ (?:h|min))?\b`) // as Span says it
	aCount    = regexp.MustCompile(`(?i)\b(restarts?|restarted|restart count|attempts?|tries|retries|retry)([ :=#]+)\d+\b`)
	countOf   = regexp.MustCompile(`(?i)\b\d+ (restarts?|attempts?|tries|retries|times?)\b`)
	repeats   = regexp.MustCompile(`\(x\d+\b`) // of an event of the API
)

// Gist is what a reason says, without durations and counts of tries, so that two reasons with the same gist mean the same.
func Gist(reason string) string {
	g := strings.Join(strings.Fields(reason), " ")
	g = aDuration.ReplaceAllString(g, "${1}…")
	g = aSpan.ReplaceAllString(g, "in …")
	g = aCount.ReplaceAllString(g, "$1$2…")
	g = countOf.ReplaceAllString(g, "… $1")
	return repeats.ReplaceAllString(g, "(x…")
}
