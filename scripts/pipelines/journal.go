package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// step is what a journal tells of one.
type journalEvent struct {
	Kind, Step, Target, Action, Result string
}

// readJournals gives the events of the runs among a job's artifacts, oldest run first.
func readJournals(artifacts string) ([]journalEvent, error) {
	files, err := filepath.Glob(filepath.Join(artifacts, ".kiban", "runs", site, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []journalEvent
	for _, name := range files {
		if strings.HasSuffix(name, ".commands.jsonl") {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var e journalEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				f.Close()
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out = append(out, e)
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no journal is among the job's artifacts in %s", artifacts)
	}
	return out, nil
}

// rolled holds that a run went through the machines as it should.
func rolled(artifacts, _ string) (string, error) {
	events, err := readJournals(artifacts)
	if err != nil {
		return "", err
	}
	return rollout(events)
}

// rollout holds how an upgrade went by its events: one controller at a time, all of them before the first worker, and of the workers each
// cordoned, drained, upgraded and returned in this order, two of them at most at the same time. It gives the order.
func rollout(events []journalEvent) (string, error) {
	var order []string
	out := map[string]bool{} // workers that are out of service
	busy, most := "", 0
	steps := map[string][]string{}
	for _, e := range events {
		if e.Kind != "started" && e.Kind != "finished" || e.Target == "" {
			continue
		}
		controller := strings.HasPrefix(e.Target, "controller")
		switch {
		case e.Kind == "finished":
			steps[e.Target] = append(steps[e.Target], e.Action)
			if busy == e.Target {
				busy = ""
			}
			if e.Action == "uncordon" {
				delete(out, e.Target)
			}
			continue
		case controller && e.Action == "upgrade":
			if busy != "" || len(out) > 0 {
				return "", fmt.Errorf("%s began while %s%v was not done", e.Target, busy, out)
			}
			busy = e.Target
			order = append(order, e.Target)
		case !controller && e.Action == "cordon":
			if busy != "" {
				return "", fmt.Errorf("%s was cordoned while %s was upgraded", e.Target, busy)
			}
			out[e.Target] = true
			most = max(most, len(out))
			order = append(order, e.Target)
		}
	}
	if len(order) != 7 || most > 2 {
		return "", fmt.Errorf("the machines went %q, with %d workers at most out of service", order, most)
	}
	for _, machine := range order {
		want := []string{"cordon", "drain", "upgrade", "uncordon"}
		if strings.HasPrefix(machine, "controller") {
			want = []string{"upgrade"}
		}
		got := slices.DeleteFunc(slices.Clone(steps[machine]), func(s string) bool {
			return s == "stage" || s == "preflight" || s == "forget-former" || s == "forget-settings"
		})
		if !slices.Equal(got, want) {
			return "", fmt.Errorf("%s went through %q, not %q", machine, got, want)
		}
	}
	return strings.Join(order, ", "), nil
}
