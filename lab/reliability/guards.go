package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

var (
	hazardTest = regexp.MustCompile(`^TestHazard_H(\d+)_`)
	hazardRow  = regexp.MustCompile(`(?m)^\| H(\d+) `)
)

// hazards runs the tests that are named after a hazard, and counts those of docs/hazards.md whose tests all pass. What is held end to end
// is part of `make test`.
func hazards(root string) (known, guarded int, lost []string, err error) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "hazards.md"))
	if err != nil {
		return 0, 0, nil, err
	}
	rows := hazardRow.FindAllSubmatch(page, -1)
	good, err := passed(root, "TestHazard_", "./lifecycle/...", "./cmd/kiban")
	if err != nil {
		return 0, 0, nil, err
	}
	all := map[string]bool{}
	for name, ok := range good {
		if m := hazardTest.FindStringSubmatch(name); m != nil {
			was, seen := all[m[1]]
			all[m[1]] = ok && (was || !seen)
		}
	}
	for _, row := range rows {
		if all[string(row[1])] {
			guarded++
		} else {
			lost = append(lost, fmt.Sprintf("hazard H%s is not guarded", row[1]))
		}
	}
	return len(rows), guarded, lost, nil
}

// brokenInputs runs the broken sites of package site, each with the findings that it must have.
func brokenInputs(root string) (tried int, lost []string, err error) {
	good, err := passed(root, "Broken", "./lifecycle/site")
	if err != nil {
		return 0, nil, err
	}
	for name, ok := range good {
		if !strings.Contains(name, "/") {
			continue
		}
		tried++
		if !ok {
			lost = append(lost, "broken input "+name+" is not diagnosed as it should be")
		}
	}
	return tried, lost, nil
}

// passed runs tests and says of each whether it passed.
func passed(root, run string, packages ...string) (map[string]bool, error) {
	cmd := exec.Command("go", append([]string{"test", "-vet=off", "-json", "-run", run}, packages...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // failed tests are in the output
		return nil, err
	}
	good := map[string]bool{}
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e struct{ Action, Test string }
		if json.Unmarshal(sc.Bytes(), &e) == nil && e.Test != "" && (e.Action == "pass" || e.Action == "fail") {
			good[e.Test] = e.Action == "pass"
		}
	}
	return good, sc.Err()
}

// lockRaces lets two runs begin at the same moment on bare machines, several times, and counts the races that both won: those in which
// both began a step.
func lockRaces(b drive.Binaries, races int) (lost []string, err error) {
	for i := range races {
		bad, err := lockRace(b, fmt.Sprintf("127.250.%d", 4*i))
		if err != nil {
			return lost, err
		}
		if bad != "" {
			lost = append(lost, bad)
		}
	}
	return lost, nil
}

func lockRace(b drive.Binaries, net string) (bad string, err error) {
	g, err := drive.Up(b, fleet.Site{Net: net, Controllers: 1, Workers: 1, Version: older, User: "root", MaxUnavailable: "1",
		DrainTimeout: "60s", NodeTimeout: "60s"}, "--lease-scale", "0.3")
	defer g.TearDown()
	if err != nil {
		return "", err
	}
	var wg sync.WaitGroup
	codes := make([]int, 2)
	for i := range codes {
		wg.Go(func() {
			u, _ := g.Run(g.Kiban, "apply", "lab", "--yes") // the code says how it went
			codes[i] = u.Code
		})
	}
	wg.Wait()
	began := 0
	for _, j := range g.Journals() {
		raw, err := os.ReadFile(j)
		if err != nil {
			return "", err
		}
		if bytes.Contains(raw, []byte(`"kind":"started"`)) {
			began++
		}
	}
	if began != 1 || codes[0]+codes[1] != 3 {
		return fmt.Sprintf("lock race: %d of two runs began, exit codes %v", began, codes), nil
	}
	return "", nil
}
