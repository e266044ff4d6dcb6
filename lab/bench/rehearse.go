package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

// benchRehearse rehearses the next minor version at a site of seven machines, and with -long at one of a hundred with some 3,000 pods:
// how
// long that takes, from the command to its answer, and how much memory kiban and its lab have at most.
func benchRehearse(o options) ([]row, error) {
	rows, err := rehearsal(o, fleet.Site{Net: "127.63.0", Controllers: 1, Workers: 6},
		drive.Population{Namespaces: 3, Deployments: 8, Replicas: 3, StatefulSets: 2, Members: 3, DaemonSets: 1}, 90*time.Second)
	if err != nil || !o.long {
		return rows, err
	}
	more, err := rehearsal(o, fleet.Site{Net: "127.64.0", Controllers: 1, Workers: 99}, largePopulation(), 10*time.Minute)
	return append(rows, more...), err
}

func rehearsal(o options, site fleet.Site, p drive.Population, goal time.Duration) ([]row, error) {
	g, took, err := populate(o, site, p)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	g.Version = "v1.36.3+k0s.2"
	if err := g.Write(g.Dir); err != nil {
		return nil, err
	}
	wall, memory, said, err := peak(g)
	if err != nil {
		return nil, err
	}
	var told struct {
		Result      string
		Done, Steps int
		Services    []struct{ Requests, Lost int }
	}
	if err := json.Unmarshal(said, &told); err != nil {
		return nil, fmt.Errorf("the rehearsal told no result: %w", err)
	}
	requests, lost := 0, 0
	for _, s := range told.Services {
		requests, lost = requests+s.Requests, lost+s.Lost
	}
	name := fmt.Sprintf("rehearsal of %d machines and %d pods", g.Controllers+g.Workers, p.Pods(took.nodes))
	return []row{
		{fmt.Sprintf("%s: %d of %d steps, %s", name, told.Done, told.Steps, told.Result), seconds(wall), "", "",
			fmt.Sprintf("under %.0f s", goal.Seconds()), verdict(wall < goal && told.Result == "done")},
		{name + ": peak memory of all processes", gibibytes(memory), "", "", "under 4 GiB", verdict(memory < 4<<30)},
		{fmt.Sprintf("%s: requests lost of %d", name, requests), strconv.Itoa(lost), "", "", "", ""},
	}, nil
}

// peak rehearses, and looks every two seconds at how much memory kiban and what it started have.
func peak(g *drive.Ground) (wall time.Duration, most int64, said []byte, err error) {
	cmd := exec.Command(g.Kiban, "rehearse", "lab", "-o", "json")
	cmd.Dir, cmd.Env = g.Dir, append(drive.Environ(os.Environ()), "KIBAN_LAB="+g.Lab)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if out.Len() > 0 {
				err = nil // its code says how the rehearsal went, which is in what it told
			} else if err != nil {
				err = fmt.Errorf("kiban rehearse: %w\n%s", err, drive.LastLines(words.String(), 15))
			}
			return time.Since(began), most, out.Bytes(), err
		case <-time.After(2 * time.Second):
			if memory, _, err := usage(strconv.Itoa(cmd.Process.Pid)); err == nil {
				most = max(most, memory)
			}
		}
	}
}
