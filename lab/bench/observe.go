package main

import (
	"fmt"
	"time"
)

// benchObserve observes a thousand machines that answer 5 ms late: three times, in turns with another build of kiban where one is named.
func benchObserve(o options) ([]row, error) {
	g, err := setUp(o, "127.62.0", 1, 999)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	if _, err := g.Run(g.Lab, "fault", "all", "latency", "5ms", "--dir", ".lab"); err != nil {
		return nil, err
	}
	var ours, theirs []time.Duration
	var rss int64
	for range 3 {
		u, err := g.Run(g.Kiban, "status", "lab", "-o", "json")
		if err != nil {
			return nil, err
		}
		ours, rss = append(ours, u.Wall), max(rss, u.RSS)
		if o.former == "" {
			continue
		}
		if u, err = g.Run(o.former, "status", "lab", "-o", "json"); err != nil {
			return nil, err
		}
		theirs = append(theirs, u.Wall)
	}
	a, mb := median(ours), rss/1e6
	rows := []row{
		{"observing 1,000 machines at 5 ms", seconds(a), "", "", "under 60 s", verdict(a.Seconds() < 60)},
		{"peak memory of that", fmt.Sprintf("%d MB", mb), "", "", "under 500 MB", verdict(mb < 500)},
	}
	if len(theirs) > 0 {
		b := median(theirs)
		rows = append(rows, row{"observing, against another build", seconds(a), seconds(b) + " (-former)", ratio(a, b),
			"at most 2", verdict(a <= 2*b)})
	}
	return rows, nil
}
