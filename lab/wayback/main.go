// Command wayback takes the data of a control plane to the next minor release, which acts as the former one, and back to the former
// one's own programs, again and again, by real programs of both, while objects of many kinds are written at random and programs are
// killed at random. It prints what was lost. In the end the next release acts as itself for a moment and then the former one is
// started again: what is lost by that must be found, or the rest proves nothing.
//
//	wayback -older ../bin/older -lab ../bin/kiban-lab [-switches 100] [-seed 1]
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.older, "older", "../bin/older", "the programs of the minor release before the lab's")
	flag.StringVar(&o.lab, "lab", "../bin/kiban-lab", "the lab's binary")
	flag.IntVar(&o.switches, "switches", 100, "how many times to go from one to the other")
	flag.Uint64Var(&o.seed, "seed", 1, "of what is written and killed")
	flag.StringVar(&o.net, "net", "127.140.0", "the first three parts of the addresses")
	flag.BoolVar(&o.keep, "keep", false, "keep the data and logs")
	flag.Parse()
	ok, err := run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wayback:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct {
	older, lab, net string
	switches        int
	seed            uint64
	keep            bool
}

// run does the journey and prints its table. It is ok when nothing was lost, and the control found something.
func run(ctx context.Context, o options) (ok bool, err error) {
	if o.older, err = filepath.Abs(o.older); err == nil {
		o.lab, err = filepath.Abs(o.lab)
	}
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "kiban-wayback-")
	if err != nil {
		return false, err
	}
	if o.keep {
		fmt.Fprintln(os.Stderr, dir)
	} else {
		defer os.RemoveAll(dir)
	}
	former, pinned, committed, err := forms()
	if err != nil {
		return false, err
	}
	j := &journey{plane: &plane{dir: dir, addr: o.net + ".11", older: o.older, lab: o.lab}, say: os.Stderr,
		rng: rand.New(rand.NewPCG(o.seed, 0))}
	defer func() { _ = j.stop(true) }()
	if _, err := j.start(former); err != nil {
		return false, err
	}
	if j.cfg, err = j.config(); err != nil {
		return false, err
	}
	if j.writers, err = newWriters(ctx, j.cfg, 6, o.seed); err != nil {
		return false, err
	}
	defer j.writers.halt()
	for j.switches < o.switches {
		to := pinned
		if j.is.newer {
			to = former
		}
		if err := j.leg(ctx, to); err != nil {
			return false, err
		}
	}
	found, err := j.control(ctx, former, committed)
	if err != nil {
		return false, err
	}
	j.print(found)
	return j.bad() == 0 && j.missing == 0 && j.changed == 0 && found > 0, nil
}

// print writes the table of docs/way-back.md.
func (j *journey) print(found int) {
	slices.Sort(j.took)
	median := j.took[len(j.took)/2].Round(100 * time.Millisecond)
	fmt.Println("| | |\n|---|---|")
	for _, row := range []struct {
		what string
		is   any
	}{
		{"switches from one release's programs to the other's", j.switches},
		{"of these by SIGKILL to all programs at once", j.killed},
		{"further kills of the API server, anywhere", j.kills},
		{"kinds and versions written", len(j.kinds)},
		{"acknowledged writes", j.count()},
		{"of them lost, stale, wrong", fmt.Sprintf("%d, %d, %d", j.Lost, j.Stale, j.Wrong)},
		{"views compared across switches", j.views},
		{"of them missing, changed", fmt.Sprintf("%d, %d", j.missing, j.changed)},
		{"median and longest time from the start to ready", fmt.Sprintf("%s, %s", median, j.took[len(j.took)-1].Round(100*time.Millisecond))},
		{"control: losses found after going back from a commit", found},
	} {
		fmt.Printf("| %s | %v |\n", row.what, row.is)
	}
}
