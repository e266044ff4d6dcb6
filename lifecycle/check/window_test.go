package check

import (
	"testing"
	"time"
	_ "time/tzdata" // the test must not depend on the machine's zone files

	"kiban.dev/kiban/lifecycle"
)

func TestWindow(t *testing.T) {
	nights := lifecycle.Window{Days: []time.Weekday{time.Saturday}, Start: 22 * 60, End: 4 * 60, TimeZone: "Asia/Tokyo"}
	daily := lifecycle.Window{Start: 9 * 60, End: 17*60 + 30, TimeZone: "Europe/Berlin"}
	early := lifecycle.Window{Start: 2*60 + 30, End: 3*60 + 30, TimeZone: "Europe/Berlin"}
	for name, tc := range map[string]struct {
		windows []lifecycle.Window
		now     string
		want    verdict
	}{
		"none declared": {nil, "2026-01-01T00:00:00Z", verdict{lifecycle.GateSkipped, "no maintenance windows"}},
		// 23:00
		"Saturday night in Tokyo": {[]lifecycle.Window{nights}, "2026-01-03T14:00:00Z", verdict{lifecycle.GateMet, "open until Sun 04:00 JST"}},
		// 03:59:59 on Sunday
		"past midnight it is still open": {[]lifecycle.Window{nights}, "2026-01-03T18:59:59Z", verdict{lifecycle.GateMet, "Sun 04:00"}},
		"its end is closed": {[]lifecycle.Window{nights}, "2026-01-03T19:00:00Z",
			verdict{lifecycle.GateWaiting, "opens Sat 10 Jan 22:00 JST, in 6 days 18 h"}},
		"Friday night is not Saturday's": {[]lifecycle.Window{nights}, "2026-01-02T14:00:00Z",
			verdict{lifecycle.GateWaiting, "opens Sat 3 Jan 22:00 JST, in 23 h"}},
		"its start is open":      {[]lifecycle.Window{nights}, "2026-01-03T13:00:00Z", verdict{lifecycle.GateMet, ""}},
		"every day, winter time": {[]lifecycle.Window{daily}, "2026-01-05T08:00:00Z", verdict{lifecycle.GateMet, "17:30 CET"}},
		"every day, summer time": {[]lifecycle.Window{daily}, "2026-07-06T07:00:00Z", verdict{lifecycle.GateMet, "17:30 CEST"}},
		"before it, summer time": {[]lifecycle.Window{daily}, "2026-07-06T06:59:00Z", verdict{lifecycle.GateWaiting, "in 1 min"}},
		"the nearer of two is next": {[]lifecycle.Window{nights, daily}, "2026-01-02T23:00:00Z",
			verdict{lifecycle.GateWaiting, "opens Sat 3 Jan 09:00 CET"}},
		// 03:15 CEST; there is no 02:30
		"a start that the clock skips": {[]lifecycle.Window{early}, "2026-03-29T01:15:00Z",
			verdict{lifecycle.GateWaiting, "Mon 30 Mar 02:30 CEST"}},
		"a week is looked ahead": {[]lifecycle.Window{nights}, "2026-01-04T00:00:00Z", verdict{lifecycle.GateWaiting, "Sat 10 Jan"}},
		"a time zone that does not exist": {[]lifecycle.Window{{TimeZone: "Mars/Olympus"}}, "2026-01-01T00:00:00Z",
			verdict{lifecycle.GateFailed, "Mars/Olympus"}},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, tc.now)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.check(t, decideWindow(tc.windows, now))
		})
	}
}
