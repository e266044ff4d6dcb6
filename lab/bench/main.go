// Command bench measures kiban against the k0sctl library, and against what is possible, on the lab. Each pair is measured in one
// run, in turns, so that a ratio holds on a machine whose speed drifts. It prints a Markdown table.
//
//	bench -kiban ../bin/kiban -lab ../bin/kiban-lab [-only noop,observe,...] [-former KIBAN] [-long]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
	"kiban.dev/kiban/lab/stock"
)

type options struct {
	drive.Binaries
	only, former string
	long         bool
}

// row is one line of the table.
type row struct{ what, kiban, other, ratio, goal, met string }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "k0sctl-apply" {
		if err := stock.Apply(context.Background(), os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "kustomize-build" {
		if err := kustomize(os.Args[2], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.Kiban, "kiban", "../bin/kiban", "the kiban binary")
	flag.StringVar(&o.Lab, "lab", "../bin/kiban-lab", "the lab's binary")
	flag.StringVar(&o.only, "only", "", "comma-separated: noop, observe, rollout, render, population, rehearse, sweep, first; empty: all")
	flag.StringVar(&o.former, "former", "", "another build of kiban, to observe with in turns")
	flag.BoolVar(&o.long, "long", false, "the largest of everything: 100 workers rolled out, 1,000 set up, 3,500 sites; most of two hours")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	var err error
	if o.Kiban, err = filepath.Abs(o.Kiban); err != nil {
		return err
	}
	if o.Lab, err = filepath.Abs(o.Lab); err != nil {
		return err
	}
	if o.former != "" {
		if o.former, err = filepath.Abs(o.former); err != nil {
			return err
		}
	}
	suites := []struct {
		name string
		run  func(options) ([]row, error)
	}{{"render", benchRender}, {"noop", benchNoop}, {"observe", benchObserve}, {"rollout", benchRollout},
		{"population", benchPopulation}, {"rehearse", benchRehearse}, {"sweep", benchSweep}, {"first", benchFirst}}
	fmt.Println("| what | kiban | against | ratio | goal | met |\n|---|---|---|---|---|---|")
	for _, s := range suites {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), s.name) {
			continue
		}
		rows, err := s.run(o)
		for _, r := range rows {
			fmt.Printf("| %s | %s | %s | %s | %s | %s |\n", r.what, r.kiban, r.other, r.ratio, r.goal, r.met)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func verdict(ok bool) string {
	if ok {
		return "yes"
	}
	return "**no**"
}

// setUp brings up machines and writes their overlay.
func setUp(o options, net string, controllers, workers int) (*drive.Ground, error) {
	return drive.Up(o.Binaries, fleet.Site{Net: net, Controllers: controllers, Workers: workers, Version: "v1.35.7+k0s.0", User: "root",
		MaxUnavailable: "4", DrainTimeout: "120s", NodeTimeout: "120s"})
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }
