package main

import "fmt"

// benchObserve observes a thousand machines that answer 5 ms late.
func benchObserve(o options) ([]row, error) {
	g, err := setUp(o, "127.62.0", 1, 999)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	if _, err := g.Run(g.Lab, "fault", "all", "latency", "5ms", "--dir", ".lab"); err != nil {
		return nil, err
	}
	u, err := g.Run(g.Kiban, "status", "lab", "-o", "json")
	if err != nil {
		return nil, err
	}
	mb := u.RSS / 1e6
	return []row{
		{"observing 1,000 machines at 5 ms", seconds(u.Wall), "", "", "under 60 s", verdict(u.Wall.Seconds() < 60)},
		{"peak memory of that", fmt.Sprintf("%d MB", mb), "", "", "under 500 MB", verdict(mb < 500)},
	}, nil
}
