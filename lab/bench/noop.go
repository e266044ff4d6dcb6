package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
)

// benchNoop compares an apply that has nothing to do with k0sctl's, as whole processes, taking turns on the same machines.
func benchNoop(o options) ([]row, error) {
	var rows []row
	for _, size := range []struct{ controllers, workers int }{{1, 2}, {3, 20}} {
		r, err := noop(o, size.controllers, size.workers)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

func noop(o options, controllers, workers int) ([]row, error) {
	g, err := setUp(o, "127.61.0", controllers, workers)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	if _, err := g.Apply(g.Version); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	doc := filepath.Join(g.Dir, "overlays", "lab", "cluster.yaml")
	var ours, theirs []time.Duration
	for i := range 6 {
		k, err := g.Run(self, "k0sctl-apply", doc)
		if err != nil {
			return nil, err
		}
		u, err := g.Run(g.Kiban, "apply", "lab", "--yes")
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first pair warms up
			ours, theirs = append(ours, u.Wall), append(theirs, k.Wall)
		}
	}
	perHost, err := commandsOfOnePlan(g)
	if err != nil {
		return nil, err
	}
	a, b := median(ours), median(theirs)
	name := fmt.Sprintf("apply with nothing to do, %d+%d machines", controllers, workers)
	return []row{{name, seconds(a), seconds(b) + " (k0sctl)", ratio(a, b), "at most 0.5", verdict(a*2 <= b)},
		{name + ": commands a host", fmt.Sprintf("%.2f", perHost), "", "", "1", verdict(perHost <= 1)}}, nil
}

// commandsOfOnePlan counts what the machines were sent during one plan, per machine.
func commandsOfOnePlan(g *drive.Ground) (float64, error) {
	m, err := g.Run(g.Lab, "mark", "--dir", ".lab")
	if err != nil {
		return 0, err
	}
	if _, err := g.Run(g.Kiban, "apply", "lab", "--yes"); err != nil {
		return 0, err
	}
	c, err := g.Run(g.Lab, "commands", "--dir", ".lab", "-o", "json", "--since", strings.TrimSpace(m.Stdout))
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(c.Stdout) {
		if strings.Contains(line, `"kind":"command"`) {
			n++
		}
	}
	return float64(n) / float64(g.Controllers+g.Workers), nil
}
