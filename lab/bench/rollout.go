package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/drive"
)

const newVersion = "v1.36.3+k0s.2"

// benchRollout upgrades workers whose drains take one to six seconds, with kiban and with k0sctl, and holds kiban against the
// lower bound: the sum of the nodes' own times, divided by the window. There is no canary, which would go alone by choice.
func benchRollout(o options) ([]row, error) {
	sizes := []int{20}
	if o.long {
		sizes = append(sizes, 100)
	}
	var rows []row
	for _, n := range sizes {
		r, err := rollout(o, n)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

func rollout(o options, workers int) ([]row, error) {
	ours, bound, err := rolloutByKiban(o, workers)
	if err != nil {
		return nil, err
	}
	theirs, err := rolloutByK0sctl(o, workers)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("upgrade of %d workers, uneven drains, window of 4", workers)
	share := float64(bound) / float64(ours)
	return []row{
		{name, seconds(ours), seconds(theirs) + " (k0sctl)", ratio(ours, theirs), "", ""},
		{name + ": lower bound / time", seconds(ours), seconds(bound) + " (bound)", fmt.Sprintf("%.2f", share), "at least 0.9",
			verdict(share >= 0.9)},
	}, nil
}

// rolloutByKiban gives the time of the workers' stage and its lower bound, both read from the run's journal.
func rolloutByKiban(o options, workers int) (took, bound time.Duration, err error) {
	g, err := rolloutGround(o, "127.63.0", workers)
	defer g.TearDown()
	if err != nil {
		return 0, 0, err
	}
	if _, err := g.Apply(newVersion); err != nil {
		return 0, 0, err
	}
	return lastRollout(g, 4)
}

func rolloutByK0sctl(o options, workers int) (time.Duration, error) {
	g, err := rolloutGround(o, "127.65.0", workers)
	defer g.TearDown()
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	g.Version = newVersion
	if err := g.Write(g.Dir); err != nil {
		return 0, err
	}
	start := time.Now()
	first := firstCordon(g)
	if _, err := g.Run(self, "k0sctl-apply", filepath.Join(g.Dir, "overlays", "lab", "cluster.yaml")); err != nil {
		return 0, err
	}
	end := time.Now()
	if at, ok := <-first; ok {
		start = at // as for kiban: the workers only
	}
	return end.Sub(start), nil
}

func rolloutGround(o options, net string, workers int) (*drive.Ground, error) {
	g, err := setUp(o, net, 1, workers)
	if err != nil {
		return g, err
	}
	if _, err := g.Apply(g.Version); err != nil {
		return g, err
	}
	cs, err := client(g)
	if err != nil {
		return g, err
	}
	for i, m := range g.Machines()[1:] {
		if _, err := cs.CoreV1().ReplicationControllers("default").
			Create(context.Background(), drive.SlowPod(m.Name, 1+i%6), metav1.CreateOptions{}); err != nil {
			return g, err
		}
	}
	for range 300 {
		pods, err := cs.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{FieldSelector: "status.phase=Running"})
		if err == nil && len(pods.Items) == workers {
			return g, nil
		}
		time.Sleep(time.Second)
	}
	return g, fmt.Errorf("the pods did not come up")
}

func client(g *drive.Ground) (kubernetes.Interface, error) {
	kc, err := g.Run(g.Kiban, "kubeconfig", "lab")
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(kc.Stdout))
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}

// firstCordon tells when the first node is cordoned.
func firstCordon(g *drive.Ground) <-chan time.Time {
	first := make(chan time.Time, 1)
	cs, err := client(g)
	if err != nil {
		close(first)
		return first
	}
	go func() {
		for range 6000 {
			nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{ResourceVersion: "0"})
			if err == nil {
				for _, n := range nodes.Items {
					if n.Spec.Unschedulable {
						first <- time.Now()
						return
					}
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(first)
	}()
	return first
}

// lastRollout reads the newest journal: from the first cordon to the last uncordon, and the sum of what each node took by itself.
func lastRollout(g *drive.Ground, window int) (took, bound time.Duration, err error) {
	files := g.Journals()
	if len(files) == 0 {
		return 0, 0, errors.New("no journal")
	}
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return 0, 0, err
	}
	from, to := map[string]time.Time{}, map[string]time.Time{}
	var first, last time.Time
	for line := range strings.Lines(string(raw)) {
		var e struct {
			Time                 time.Time
			Kind, Action, Target string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return 0, 0, err
		}
		switch {
		case e.Action == "cordon" && e.Kind == "started":
			from[e.Target] = e.Time
			if first.IsZero() {
				first = e.Time
			}
		case e.Action == "uncordon" && e.Kind == "finished":
			to[e.Target] = e.Time
			last = e.Time
		}
	}
	var sum time.Duration
	for t, f := range from {
		sum += to[t].Sub(f)
	}
	return last.Sub(first), sum / time.Duration(window), nil
}
