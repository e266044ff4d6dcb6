// Command reliability kills kiban at the boundaries between the events of its runs, or cuts, reboots and switches off machines under
// it; runs the same command again; and compares where that ends with where an undisturbed run ends. It prints a Markdown table.
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
	points := flag.Int("points", 0, "at most this many kill points for each kind of run, and half as many faults, spread evenly; 0: every one")
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
	fmt.Println("| what | tried | survived | lost |\n|---|---|---|---|")
	var lost []string
	for i, s := range scenarios() {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name[strings.LastIndexByte(s.name, ' ')+1:]) {
			continue
		}
		events, want, err := s.undisturbed(b, fmt.Sprintf("127.%d.0", 210+10*i))
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, kind := range []struct {
			name   string
			points []point
		}{{"SIGKILL during " + s.name, killPoints(events, points)},
			{"SSH cut, reboot or power loss during " + s.name, faultPoints(events, (points+1)/2)}} {
			bad := s.disturb(b, 210+10*i, side, kind.points, want)
			fmt.Printf("| %s | %d | %d | %d |\n", kind.name, len(kind.points), len(kind.points)-len(bad), len(bad))
			lost = append(lost, bad...)
		}
	}
	if only == "" {
		bad, err := guards(b)
		if err != nil {
			return err
		}
		lost = append(lost, bad...)
	}
	if len(lost) > 0 {
		return fmt.Errorf("lost:\n%s", strings.Join(lost, "\n"))
	}
	return nil
}

// races is how often two runs begin at once.
const races = 4

// guards prints the rows that are not about runs cut off.
func guards(b drive.Binaries) (lost []string, err error) {
	root := filepath.Join("..") // of the repository: the command runs in lab/
	guarded, bad, err := hazards(root)
	if err != nil {
		return nil, fmt.Errorf("hazards: %w", err)
	}
	fmt.Printf("| hazards of k0sctl known, guarded | %d | %d | %d |\n", known, guarded, known-guarded)
	lost = append(lost, bad...)
	tried, bad, err := brokenInputs(root)
	if err != nil {
		return nil, fmt.Errorf("broken inputs: %w", err)
	}
	fmt.Printf("| broken inputs tried, diagnosed | %d | %d | %d |\n", tried, tried-len(bad), len(bad))
	lost = append(lost, bad...)
	bad, err = lockRaces(b, races)
	if err != nil {
		return nil, fmt.Errorf("lock races: %w", err)
	}
	fmt.Printf("| two runs at once, won by one | %d | %d | %d |\n", races, races-len(bad), len(bad))
	return append(lost, bad...), nil
}

// disturb tries the points, each on a lab of its own, so many side by side, and gives those that did not end as wanted.
func (s scenario) disturb(b drive.Binaries, net, side int, points []point, want string) (lost []string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan int, side)
	for i := range side {
		slots <- i
	}
	for _, k := range points {
		slot := <-slots
		wg.Go(func() {
			defer func() { slots <- slot }()
			got, err := s.disturbed(b, fmt.Sprintf("127.%d.%d", net, 10+4*slot), k)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				lost = append(lost, fmt.Sprintf("%s, %s: %v", s.name, k, err))
			case got != want:
				lost = append(lost, fmt.Sprintf("%s, %s: ends at\n%s\nnot at\n%s", s.name, k, got, want))
			}
		})
	}
	wg.Wait()
	return lost
}

// point is where a run is disturbed: when its nth event is in the journal, or a moment after it.
type point struct {
	what   disturbance
	events int
	after  time.Duration
}

func (k point) String() string {
	return fmt.Sprintf("%s %s after event %d", k.what.name, k.after, k.events)
}

// killPoints are the boundaries of a run with that many events, each at once and a moment later.
func killPoints(events, most int) []point {
	var ks []point
	for n := 1; n < events; n++ {
		ks = append(ks, point{kill(), n, 0}, point{kill(), n, time.Duration(50+137*n%400) * time.Millisecond})
	}
	return spread(ks, most)
}

// faultPoints disturb the machines instead, each in its own way, spread over the run.
func faultPoints(events, most int) []point {
	var ks []point
	kinds := faults()
	for n := 1; n < events; n++ {
		ks = append(ks, point{kinds[n%len(kinds)], n, time.Duration(50+91*n%300) * time.Millisecond})
	}
	return spread(ks, most)
}

// spread keeps at most so many, from all over the run. All of them when most is 0.
func spread(ks []point, most int) []point {
	if most <= 0 || len(ks) <= most {
		return ks
	}
	var some []point
	for i := range most {
		some = append(some, ks[i*len(ks)/most])
	}
	return some
}
