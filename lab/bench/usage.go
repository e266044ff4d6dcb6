package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
)

// labUsage is what a lab's own process and all those that it started have: memory in bytes, where what they share is counted once, and
// the
// processor time that they took.
func labUsage(g *drive.Ground) (memory int64, cpu time.Duration, err error) {
	b, err := os.ReadFile(filepath.Join(g.Dir, ".lab", "kiban-lab.pid"))
	if err != nil {
		return 0, 0, err
	}
	return usage(strings.TrimSpace(string(b)))
}

// usage is labUsage of any process.
func usage(root string) (memory int64, cpu time.Duration, err error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, 0, err
	}
	parents, ticks := map[string]string{}, map[string]int64{}
	for _, f := range folders {
		b, err := os.ReadFile(filepath.Join(f, "stat"))
		if err != nil {
			continue // it has ended
		}
		fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		if len(fields) < 15 {
			continue
		}
		pid := filepath.Base(f)
		parents[pid] = string(fields[1])
		for _, field := range fields[11:15] { // its own time, and that of its children that have ended (proc(5))
			n, err := strconv.ParseInt(string(field), 10, 64)
			if err != nil {
				return 0, 0, err
			}
			ticks[pid] += n
		}
	}
	for pid := range parents {
		for p := pid; p != ""; p = parents[p] {
			if p == root {
				memory += proportional(pid)
				cpu += time.Duration(ticks[pid]) * (time.Second / 100)
				break
			}
		}
	}
	return memory, cpu, nil
}

// proportional is a process's memory with its share of what several have, in bytes.
func proportional(pid string) int64 {
	b, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
