package render

import (
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// EstimateText says how long a plan may take: "about 12 min, by 3 past runs"; "" when nothing tells.
func EstimateText(e *lifecycle.Estimate) string {
	if e == nil {
		return ""
	}
	return aboutSoLong(e.Duration) + ", by " + lifecycle.Count(e.Runs, "past run")
}

// aboutSoLong rounds up, as finely as an estimate is worth: to minutes within an hour and a half, to ten of them beyond.
func aboutSoLong(d time.Duration) string {
	upTo := func(unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }
	if d < time.Minute {
		return "less than a minute"
	}
	if d <= 90*time.Minute {
		return fmt.Sprintf("about %d min", upTo(time.Minute)/time.Minute)
	}
	d = upTo(10 * time.Minute)
	hours, minutes := d/time.Hour, d%time.Hour/time.Minute
	if minutes == 0 {
		return fmt.Sprintf("about %d h", hours)
	}
	return fmt.Sprintf("about %d h %d min", hours, minutes)
}
