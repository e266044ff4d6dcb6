package helm

import (
	"context"
	"regexp"
	"time"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"kiban.dev/kiban/lifecycle"
)

// clockRead is a template's action that asks for the time.
var clockRead = regexp.MustCompile(`{{[^}]*\bnow\b`)

// nextSecond waits for the next second when a template of the chart asks for the time, which most write in whole seconds: two renderings
// within one would not show that the value is another one each time. A value in minutes or days is for Addon.Ignore.
func nextSecond(ctx context.Context, ch *chart.Chart) error {
	if !readsClock(ch) {
		return nil
	}
	now := time.Now()
	select {
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	case <-time.After(now.Truncate(time.Second).Add(time.Second + time.Millisecond).Sub(now)):
		return nil
	}
}

func readsClock(ch *chart.Chart) bool {
	for _, t := range ch.Templates {
		if clockRead.Match(t.Data) {
			return true
		}
	}
	for _, sub := range ch.Dependencies() {
		if readsClock(sub) {
			return true
		}
	}
	return false
}
