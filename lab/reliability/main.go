// Command reliability kills kiban at every boundary between the events of its runs, runs the same command again, and compares
// where that ends with where an undisturbed run ends. It prints a Markdown table.
//
//	reliability -kiban ../bin/kiban -lab ../bin/kiban-lab [-points 12] [-only bootstrap,join,upgrade,removal] [-side 4]
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lab/drive"
)

func main() {
	var b drive.Binaries
	flag.StringVar(&b.Kiban, "kiban", "../bin/kiban", "the kiban binary")
	flag.StringVar(&b.Lab, "lab", "../bin/kiban-lab", "the lab's binary")
	points := flag.Int("points", 0, "at most this many kill points a scenario, spread evenly; 0: every one")
	only := flag.String("only", "", "comma-separated scenarios; empty: all")
	side := flag.Int("side", 4, "labs side by side")
	flag.Parse()
	var err error
	if b.Kiban, err = filepath.Abs(b.Kiban); err == nil {
		b.Lab, err = filepath.Abs(b.Lab)
	}
	if err == nil {
		err = report(b, *points, *only, *side)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

// report runs the scenarios and prints their rows. Its error says that something was lost.
func report(b drive.Binaries, points int, only string, side int) error {
	fmt.Println("| scenario | kill points tried | survived | lost |\n|---|---|---|---|")
	var lost []string
	for i, s := range scenarios() {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		tried, bad, err := s.run(b, 210+10*i, points, side)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("| %s | %d | %d | %d |\n", s.name, tried, tried-len(bad), len(bad))
		lost = append(lost, bad...)
	}
	if len(lost) > 0 {
		return fmt.Errorf("lost:\n%s", strings.Join(lost, "\n"))
	}
	return nil
}

// run measures an undisturbed run, then kills one at each of its boundaries, and between.
func (s scenario) run(b drive.Binaries, net, points, side int) (tried int, lost []string, err error) {
	calm, want, err := s.undisturbed(b, fmt.Sprintf("127.%d.0", net))
	if err != nil {
		return 0, nil, err
	}
	kills := killPoints(calm, points)
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan int, side)
	for i := range side {
		slots <- i
	}
	for _, k := range kills {
		slot := <-slots
		wg.Go(func() {
			defer func() { slots <- slot }()
			got, err := s.killed(b, fmt.Sprintf("127.%d.%d", net, 10+4*slot), k)
			mu.Lock()
			defer mu.Unlock()
			tried++
			switch {
			case err != nil:
				lost = append(lost, fmt.Sprintf("%s, killed %s: %v", s.name, k, err))
			case got != want:
				lost = append(lost, fmt.Sprintf("%s, killed %s: ends at\n%s\nnot at\n%s", s.name, k, got, want))
			}
		})
	}
	wg.Wait()
	return tried, lost, nil
}

// killPoint is where a run is killed: when its nth event is in the journal, or a moment after it.
type killPoint struct {
	events int
	after  time.Duration
}

func (k killPoint) String() string {
	return fmt.Sprintf("%s after event %d", k.after, k.events)
}

// killPoints are the boundaries of a run with that many events, each at once and a moment later.
func killPoints(events, most int) []killPoint {
	var ks []killPoint
	for n := 1; n < events; n++ {
		ks = append(ks, killPoint{n, 0}, killPoint{n, time.Duration(50+137*n%400) * time.Millisecond})
	}
	if most <= 0 || len(ks) <= most {
		return ks
	}
	var some []killPoint
	for i := range most {
		some = append(some, ks[i*len(ks)/most])
	}
	return some
}
