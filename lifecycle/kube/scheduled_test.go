package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"kiban.dev/kiban/lifecycle/fit"
)

// scheduled is a cluster, and what Kubernetes' scheduler did when nodes of it were out of service.
type scheduled struct {
	Seed       uint64                         `json:"seed"`
	Namespaces []corev1.Namespace             `json:"namespaces"`
	Nodes      []corev1.Node                  `json:"nodes"`
	Pods       []corev1.Pod                   `json:"pods"`
	Volumes    []corev1.PersistentVolume      `json:"volumes"`
	Claims     []corev1.PersistentVolumeClaim `json:"claims"`
	Classes    []storagev1.StorageClass       `json:"classes"`
	Turns      []struct {
		Out    []string          `json:"out"`
		Orders [][]string        `json:"orders"`
		Why    map[string]string `json:"why"`
	} `json:"turns"`
}

func (s scheduled) board() (*chart, *fit.Board) {
	around := surroundings{nodes: s.Nodes, namespaces: map[string]map[string]string{}, volumes: map[string]volume{},
		claims:  map[string]claim{},
		classes: map[string]storagev1.StorageClass{}}
	for i := range s.Namespaces {
		around.namespaces[s.Namespaces[i].Name] = s.Namespaces[i].Labels
	}
	for i := range s.Volumes {
		around.volumes[s.Volumes[i].Name] = bareVolume(&s.Volumes[i])
	}
	for i := range s.Claims {
		around.claims[s.Claims[i].Namespace+"/"+s.Claims[i].Name] = bareClaim(&s.Claims[i])
	}
	for i := range s.Classes {
		around.classes[s.Classes[i].Name] = s.Classes[i]
	}
	c := newChart(around)
	for i := range s.Pods {
		c.pod(&s.Pods[i])
	}
	c.done()
	return c, fit.New(&c.out)
}

// What is said of pods whose nodes are out of service is what the scheduler did. The clusters are the lab's, which runs this test after it
// has asked the scheduler: go -C lab test -v ./schedule
func TestFitsAsTheSchedulerHasIt(t *testing.T) {
	path := os.Getenv("KIBAN_SCHEDULED")
	if path == "" {
		t.Skip("the lab runs it: go -C lab test -v ./schedule")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var sum tally
	for from := json.NewDecoder(f); ; {
		var s scheduled
		if err := from.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		sum.cluster(t, s)
	}
	fmt.Printf("%d clusters, %d nodes out of service, %d pods moved, %d times in all\n", sum.clusters, sum.turns, sum.pods, sum.moves)
	fmt.Printf("said to fit: %d, wrong %d. Said not to fit: %d, wrong %d. Said to depend on the order: %d (%.1f %%), wrong %d\n",
		sum.fit, sum.fitWrong, sum.not, sum.notWrong, sum.depends, 100*float64(sum.depends)/float64(sum.pods), sum.dependsWrong)
	if sum.fit == 0 || sum.not == 0 {
		t.Error("nothing was compared")
	}
}

type tally struct {
	clusters, turns, pods, moves     int
	fit, not, depends                int
	fitWrong, notWrong, dependsWrong int
}

func (sum *tally) cluster(t *testing.T, s scheduled) {
	c, board := s.board()
	sum.clusters++
	for _, turn := range s.Turns {
		sum.turns++
		var out []int32
		for _, name := range turn.Out {
			out = append(out, c.nodes[name])
		}
		for _, g := range board.Without(out) {
			names := map[string]bool{}
			for _, p := range g.Pods {
				names[c.out.Kinds[g.Kind].Namespace+"/"+c.out.Pods[p].Name] = true
			}
			n := len(g.Pods)
			sum.pods += n
			sum.not += g.Least
			sum.fit += n - g.Most
			sum.depends += g.Most - g.Least
			wrong := 0
			for _, left := range turn.Orders {
				sum.moves += n
				lost := 0
				for _, name := range left {
					if names[name] {
						lost++
					}
				}
				if lost > g.Most || lost < g.Least {
					wrong = max(wrong, lost-g.Most, g.Least-lost)
					t.Errorf("seed %d, without %v, %s: %d of %d pods find no place, said were %d to %d\n%v\nthe scheduler: %v", s.Seed, turn.Out,
						c.out.Kinds[g.Kind].Workload, lost, n, g.Least, g.Most, g.Why, why(turn.Why, names))
				}
			}
			switch {
			case wrong == 0:
			case g.Most == 0:
				sum.fitWrong += wrong
			case g.Least == n:
				sum.notWrong += wrong
			default:
				sum.dependsWrong += wrong
			}
		}
	}
}

func why(said map[string]string, names map[string]bool) []string {
	var out []string
	for name, reason := range said {
		if names[name] {
			out = append(out, name+": "+reason)
		}
	}
	slices.Sort(out)
	return out
}
