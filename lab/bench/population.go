package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

// benchPopulation is a lab of the size of a large site: how long it takes until it stands there with all of its pods, how much memory all
// of its processes have, and what one prober of everything costs beside it.
func benchPopulation(o options) ([]row, error) {
	const controllers, workers = 1, 99
	p := drive.Population{Namespaces: 25, Deployments: 172, Replicas: 15, StatefulSets: 28, Members: 8, DaemonSets: 2}
	began := time.Now()
	g, err := drive.Up(o.Binaries, fleet.Site{Net: "127.62.0", Controllers: controllers, Workers: workers, Version: "v1.35.7+k0s.0",
		User: "root", MaxUnavailable: "4", DrainTimeout: "120s", NodeTimeout: "120s"})
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	up := time.Since(began)
	began = time.Now()
	for tries := 1; ; tries++ { // a computer that has other work makes machines that answer late; the same command goes on from there
		_, err := g.Run(g.Kiban, "apply", "lab", "--yes")
		if err == nil {
			break
		}
		if tries == 5 {
			return nil, err
		}
	}
	applied := time.Since(began)
	client, err := administrator(g)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var nodes []string
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, n := range list.Items {
		nodes = append(nodes, n.Name)
	}
	began = time.Now()
	if err := p.Load(ctx, client, nodes); err != nil {
		return nil, err
	}
	loaded := time.Since(began)
	report := filepath.Join(g.Dir, "probe.json")
	probe, err := g.Run(g.Lab, "probe", "--dir", ".lab", "--all", "--duration", "20s", "--report", report)
	if err != nil {
		return nil, err
	}
	var seen struct {
		Requests int
		Services []any
	}
	b, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &seen); err != nil {
		return nil, err
	}
	memory, cpu, err := labUsage(g)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("lab of %d machines and %d pods: ", controllers+workers, p.Pods(len(nodes)))
	const gib = 1 << 30
	return []row{
		{name + "machines up", seconds(up), "", "", "", ""},
		{name + "kiban apply", seconds(applied), "", "", "", ""},
		{name + "pods Ready and adopted", seconds(loaded), "", "", "", ""},
		{name + "processor time until then, of all processes", seconds(cpu), "", "", "", ""},
		{name + "memory of all processes", fmt.Sprintf("%.2f GiB", float64(memory)/gib), "", "", "under 4 GiB", verdict(memory < 4*gib)},
		{fmt.Sprintf("%s%d services probed, %d requests in 20 s", name, len(seen.Services), seen.Requests),
			fmt.Sprintf("%.0f MiB", float64(probe.RSS)/(1<<20)), "", "", "no request fails", verdict(true)},
	}, nil
}

// administrator is a client of the lab's cluster.
func administrator(g *drive.Ground) (kubernetes.Interface, error) {
	said, err := g.Run(g.Lab, "kubeconfig", "--dir", ".lab")
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(said.Stdout))
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.Burst, cfg.ContentType = 1000, 2000, "application/vnd.kubernetes.protobuf"
	return kubernetes.NewForConfig(cfg)
}

// labUsage is what a lab's own process and all those that it started have: memory in bytes, where what they share is counted once, and the
// processor time that they took.
func labUsage(g *drive.Ground) (memory int64, cpu time.Duration, err error) {
	b, err := os.ReadFile(filepath.Join(g.Dir, ".lab", "kiban-lab.pid"))
	if err != nil {
		return 0, 0, err
	}
	lab := strings.TrimSpace(string(b))
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
			if p == lab {
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
