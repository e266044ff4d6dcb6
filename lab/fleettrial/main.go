// Command fleettrial rolls a version out to a fleet of the lab, on some machines of which it fails, and tells how many sites are harmed:
// with the sites held that are like one that failed, as "kiban fleet apply" does it; with the wave of a failure as the last; and with
// nothing that stops it. Then it does the first of these once more with engines that are killed: "kiban fleet apply", a pipeline, and
// cron take turns, and the end must be the same. It prints the tables of docs/fleet.md.
//
//	fleettrial -kiban bin/kiban -lab bin/kiban-lab [-sites 40] [-waves 4] [-alike 5] [-full 0] [-parallel 4] [-keep FOLDER]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/drive"
)

func main() {
	var b drive.Binaries
	var s shape
	flag.StringVar(&b.Kiban, "kiban", "bin/kiban", "kiban's binary")
	flag.StringVar(&b.Lab, "lab", "bin/kiban-lab", "the lab's binary")
	flag.StringVar(&s.net, "net", "127.230.0", "the first three octets of the machines' addresses")
	flag.IntVar(&s.sites, "sites", 40, "how many sites there are, at most 50")
	flag.IntVar(&s.waves, "waves", 4, "in how many waves they are")
	flag.IntVar(&s.alike, "alike", 5, "how many of them have the kind of machine that the version fails on")
	flag.IntVar(&s.full, "full", 0, "how many have Kubernetes' own programs, some 400 MB each; the others a light API")
	flag.IntVar(&s.parallel, "parallel", 4, "how many sites are applied side by side")
	keep := flag.String("keep", "", "a folder for the fleet, which is left there; empty: a new one, which is removed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, b, s, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "fleettrial:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b drive.Binaries, s shape, keep string) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	if b.Kiban, err = filepath.Abs(b.Kiban); err != nil {
		return err
	}
	if b.Lab, err = filepath.Abs(b.Lab); err != nil {
		return err
	}
	began := time.Now()
	g, err := newGround(b, s, keep)
	if err != nil {
		return err
	}
	defer g.tearDown()
	if err := g.setUp(ctx); err != nil {
		return err
	}
	note("%d sites stand, each at %s, after %s", s.sites, former, time.Since(began).Round(time.Second))
	ends, err := g.policies(ctx)
	if err != nil {
		return err
	}
	replaced, err := g.trial(ctx, g.replacedEngines)
	if err != nil {
		return err
	}
	different := differences(ends[0].end, replaced.end)
	fmt.Printf("\nThe engine was killed and replaced midway: %s. It took %s.\n", replaced.told, replaced.took.Round(time.Second))
	fmt.Printf("All of it took %s.\n", time.Since(began).Round(time.Second))
	if len(different) > 0 {
		return fmt.Errorf("with the engine replaced, the end is another: %v", different)
	}
	fmt.Println("The end is the same, site by site: turn, what holds it, the version that runs, and whether its node is Ready.")
	return checked(ends)
}

// note tells the operator how far it is.
func note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
