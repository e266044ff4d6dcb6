package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kiban.dev/kiban/lab/drive"
)

// benchFirst sets up a site of fresh machines, with kiban and with k0sctl.
func benchFirst(o options) ([]row, error) {
	workers := 20
	if o.long {
		workers = 1000
	}
	ours, err := firstApply(o, "127.66.0", workers, func(g *drive.Ground) error {
		_, err := g.Run(g.Kiban, "apply", "lab", "--yes")
		return err
	})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	theirs, err := firstApply(o, "127.72.0", workers, func(g *drive.Ground) error {
		_, err := g.Run(self, "k0sctl-apply", filepath.Join(g.Dir, "overlays", "lab", "cluster.yaml"))
		return err
	})
	if err != nil {
		return nil, err
	}
	return []row{{fmt.Sprintf("first apply, 1+%d machines", workers), seconds(ours), seconds(theirs) + " (k0sctl)", ratio(ours, theirs),
		"at most 0.5", verdict(2*ours <= theirs)}}, nil
}

// firstApply is how long it takes until a site of fresh machines is what is declared.
func firstApply(o options, net string, workers int, apply func(*drive.Ground) error) (time.Duration, error) {
	g, err := setUp(o, net, 1, workers)
	defer g.TearDown()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = apply(g)
	return time.Since(began), err
}
