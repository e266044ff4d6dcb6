package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	p := largePopulation()
	g, took, err := populate(o, fleet.Site{Net: "127.62.0", Controllers: 1, Workers: 99}, p)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
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
	name := fmt.Sprintf("lab of %d machines and %d pods: ", g.Controllers+g.Workers, p.Pods(took.nodes))
	return []row{
		{name + "machines up", seconds(took.up), "", "", "", ""},
		{name + "kiban apply", seconds(took.applied), "", "", "", ""},
		{name + "pods Ready and adopted", seconds(took.loaded), "", "", "", ""},
		{name + "processor time until then, of all processes", seconds(cpu), "", "", "", ""},
		{name + "memory of all processes", gibibytes(memory), "", "", "under 4 GiB", verdict(memory < 4<<30)},
		{fmt.Sprintf("%s%d services probed, %d requests in 20 s", name, len(seen.Services), seen.Requests),
			fmt.Sprintf("%.0f MiB", float64(probe.RSS)/(1<<20)), "", "", "no request fails", verdict(true)},
	}, nil
}

// largePopulation is some 3,000 pods on a hundred machines.
func largePopulation() drive.Population {
	return drive.Population{Namespaces: 25, Deployments: 172, Replicas: 15, StatefulSets: 28, Members: 8, DaemonSets: 2}
}

func gibibytes(n int64) string { return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30)) }

// populated is how long it took until a lab stood there with its pods, and how many nodes they are on.
type populated struct {
	up, applied, loaded time.Duration
	nodes               int
}

// populate brings up a site with all of its pods. Whatever it returns beside an error wants its TearDown, too.
func populate(o options, site fleet.Site, p drive.Population) (g *drive.Ground, took populated, err error) {
	site.Version, site.User, site.MaxUnavailable, site.DrainTimeout, site.NodeTimeout = "v1.35.7+k0s.0", "root", "4", "120s", "120s"
	began := time.Now()
	if g, err = drive.Up(o.Binaries, site); err != nil {
		return g, took, err
	}
	took.up, began = time.Since(began), time.Now()
	for tries := 1; ; tries++ { // a computer that has other work makes machines that answer late; the same command goes on from there
		_, err := g.Run(g.Kiban, "apply", "lab", "--yes")
		if err == nil {
			break
		}
		if tries == 5 {
			return g, took, err
		}
	}
	took.applied = time.Since(began)
	client, err := administrator(g)
	if err != nil {
		return g, took, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return g, took, err
	}
	var nodes []string
	for _, n := range list.Items {
		nodes = append(nodes, n.Name)
	}
	took.nodes, began = len(nodes), time.Now()
	err = p.Load(ctx, client, nodes)
	took.loaded = time.Since(began)
	return g, took, err
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
