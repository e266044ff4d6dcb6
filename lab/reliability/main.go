// Command reliability kills kiban between the events of its runs, and before and after each remote command with which they change a
// machine; or it cuts, reboots and switches off machines under it, and takes from them what they had not synced. Then it runs the same
// command again, and compares where that ends with where an undisturbed run ends. It prints a Markdown table.
//
//	reliability -kiban ../bin/kiban -lab ../bin/kiban-lab [-points 12] [-only bootstrap,join,upgrade,...] [-side 4] [-shift 3]
//	            [-point 'after command 1 .* on controller-1']
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lab/drive"
)

func main() {
	var b drive.Binaries
	var o options
	flag.StringVar(&b.Kiban, "kiban", "../bin/kiban", "the kiban binary")
	flag.StringVar(&b.Lab, "lab", "../bin/kiban-lab", "the lab's binary")
	flag.IntVar(&o.points, "points", 0, "at most this many points of each row, spread evenly; 0: every one")
	flag.IntVar(&o.shift, "shift", 0, "which points those are: those of another shift are others")
	flag.StringVar(&o.only, "only", "", "comma-separated kinds of run; empty: all, and the guards")
	flag.StringVar(&o.rows, "rows", "", "comma-separated rows: events, machines, commands, cuts; empty: all")
	flag.StringVar(&o.point, "point", "", "a regular expression: only the points that are told so, as what is lost is")
	flag.IntVar(&o.side, "side", 4, "labs side by side")
	flag.Parse()
	var err error
	if b.Kiban, err = filepath.Abs(b.Kiban); err == nil {
		b.Lab, err = filepath.Abs(b.Lab)
	}
	if err == nil {
		err = report(b, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

type options struct {
	points, shift, side int
	only, rows, point   string
}

// takes reports whether a comma-separated choice has the word; the empty one has all.
func takes(choice, word string) bool {
	return choice == "" || slices.Contains(strings.Split(choice, ","), word)
}

// report runs the scenarios and prints their rows. Its error says that something was lost.
func report(b drive.Binaries, o options) error {
	fmt.Println("| what | points | tried | survived | lost |\n|---|---|---|---|---|")
	wanted, err := regexp.Compile(o.point)
	if err != nil {
		return err
	}
	var lost []string
	for i, s := range scenarios() {
		if !takes(o.only, s.name[strings.LastIndexByte(s.name, ' ')+1:]) {
			continue
		}
		net := 160 + 5*i
		w, err := s.undisturbed(b, fmt.Sprintf("127.%d.0", net))
		if err != nil {
			lost = told(lost, fmt.Sprintf("%s, which nobody disturbs: %v", s.name, err))
			continue // the other kinds of run are worth their rows all the same
		}
		for _, row := range s.rowsOf(w) {
			if !takes(o.rows, row.kind) {
				continue
			}
			row.trials = slices.DeleteFunc(row.trials, func(k trial) bool { return !wanted.MatchString(k.String()) })
			tried, bad := s.disturb(b, net, o.side, spread(row.trials, o.points, o.shift), w.end)
			fmt.Printf("| %s | %d | %d | %d | %d |\n", row.name, len(row.trials), tried, tried-len(bad), len(bad))
			lost = told(lost, bad...)
		}
	}
	if o.only == "" {
		bad, err := guards(b)
		if err != nil {
			return err
		}
		lost = told(lost, bad...)
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d lost, as told above", len(lost))
	}
	return nil
}

// told adds what was lost, and tells it at once: all of them take an hour, and whoever ends that early is to know.
func told(lost []string, more ...string) []string {
	for _, what := range more {
		fmt.Fprintln(os.Stderr, "lost:", what)
	}
	return append(lost, more...)
}

// row is a line of the table.
type row struct {
	kind, name string
	trials     []trial
}

// rowsOf are all the points at which the run can be disturbed.
func (s scenario) rowsOf(w whole) []row {
	kills, cuts := moments(w.commands)
	return []row{
		{"events", "SIGKILL between the events of " + s.name, trials(killPoints(w.events))},
		{"machines", "SSH cut, reboot or power loss during " + s.name, trials(s.faultPoints(w.events))},
		{"commands", fmt.Sprintf("SIGKILL before and after each of %d remote commands of %s", len(w.commands), s.name), trials(kills)},
		{"cuts", fmt.Sprintf("SSH cut, and power cut with what was not synced lost, after each of %d remote commands of %s", len(w.commands),
			s.name),
			trials(cuts)},
	}
}

func trials[T trial](ts []T) []trial {
	var out []trial
	for _, t := range ts {
		out = append(out, t)
	}
	return out
}

// races is how often two runs begin at once.
const races = 4

// guards prints the rows that are not about runs cut off.
func guards(b drive.Binaries) (lost []string, err error) {
	root := filepath.Join("..") // of the repository: the command runs in lab/
	known, guarded, bad, err := hazards(root)
	if err != nil {
		return nil, fmt.Errorf("hazards: %w", err)
	}
	fmt.Printf("| hazards of k0sctl known, guarded | %d | %d | %d | %d |\n", known, known, guarded, known-guarded)
	lost = append(lost, bad...)
	tried, bad, err := brokenInputs(root)
	if err != nil {
		return nil, fmt.Errorf("broken inputs: %w", err)
	}
	fmt.Printf("| broken inputs tried, diagnosed | %d | %d | %d | %d |\n", tried, tried, tried-len(bad), len(bad))
	lost = append(lost, bad...)
	bad, err = lockRaces(b, races)
	if err != nil {
		return nil, fmt.Errorf("lock races: %w", err)
	}
	fmt.Printf("| two runs at once, won by one | %d | %d | %d | %d |\n", races, races, races-len(bad), len(bad))
	return append(lost, bad...), nil
}

// disturb tries the points, each on a lab of its own, so many side by side. It gives how many runs came to their point, and those that did
// not end as wanted.
func (s scenario) disturb(b drive.Binaries, net, side int, points []trial, want string) (tried int, lost []string) {
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
			got, reached, err := s.disturbed(b, fmt.Sprintf("127.%d.%d", net, 10+4*slot), k)
			mu.Lock()
			defer mu.Unlock()
			if reached || err != nil {
				tried++
			} else {
				fmt.Fprintf(os.Stderr, "%s, %s: not reached\n", s.name, k)
			}
			switch {
			case err != nil:
				lost = append(lost, fmt.Sprintf("%s, %s: %v", s.name, k, err))
			case got != want:
				lost = append(lost, fmt.Sprintf("%s, %s: ends at\n%s\nnot at\n%s", s.name, k, got, want))
			}
		})
	}
	wg.Wait()
	return tried, lost
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
func killPoints(events int) []point {
	var ks []point
	for n := 1; n < events; n++ {
		ks = append(ks, point{kill(), n, 0}, point{kill(), n, time.Duration(50+137*n%400) * time.Millisecond})
	}
	return ks
}

// faultPoints disturb the machines instead, each in its own way, spread over the run.
func (s scenario) faultPoints(events int) []point {
	var ks []point
	kinds := s.faults()
	for n := 1; n < events; n++ {
		ks = append(ks, point{kinds[n%len(kinds)], n, time.Duration(50+91*n%300) * time.Millisecond})
	}
	return ks
}

// spread keeps at most so many, from all over the run; shift chooses which. All of them when most is 0.
func spread(ks []trial, most, shift int) []trial {
	if most <= 0 || len(ks) <= most {
		return ks
	}
	var some []trial
	for i := range most {
		some = append(some, ks[(i*len(ks)/most+shift)%len(ks)])
	}
	return some
}
