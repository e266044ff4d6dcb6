package render

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// eventLine is the line that tells of an event in a log; "" for the kinds that are not worth one. since is when the run began.
func eventLine(e lifecycle.Event, since time.Time, style Style) string {
	at := style.paint(codeDim, clock(e.Time.Sub(since)))
	who := e.Step
	if who == "" {
		who = e.Site
	}
	switch e.Kind {
	case lifecycle.EventStarted:
		return fmt.Sprintf("%s %s: begins: %s", at, who, e.Message)
	case lifecycle.EventWaiting:
		return fmt.Sprintf("%s %s: waits until %s%s%s", at, who, e.Message, atMost(e.Within), Parenthesis(e.Detail))
	case lifecycle.EventBegun, lifecycle.EventProgress:
		return fmt.Sprintf("%s %s: %s", at, who, e.Message)
	case lifecycle.EventFinished:
		return fmt.Sprintf("%s %s: %s after %s", at, who, style.paint(codeGreen, "done"), Duration(e.Elapsed))
	case lifecycle.EventFailed:
		return fmt.Sprintf("%s %s: %s after %s: %s", at, who, style.paint(codeRed, "failed"), Duration(e.Elapsed), e.Message)
	case lifecycle.EventSummary:
		return fmt.Sprintf("%s %s: %s in %s", at, who, e.Message, Duration(e.Elapsed))
	}
	return ""
}

// atMost says how long something may take; nothing where there is no bound.
func atMost(within time.Duration) string {
	if within <= 0 {
		return ""
	}
	return ", at most " + Duration(within)
}

// Parenthesis puts what is to be said beside something in one line behind it; nothing stays nothing.
func Parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + strings.Join(strings.Fields(s), " ") + ")"
}

// clock shows time into a run as [mm:ss], or [h:mm:ss] in long ones.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("[%d:%02d:%02d]", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("[%02d:%02d]", s/60, s%60)
}
