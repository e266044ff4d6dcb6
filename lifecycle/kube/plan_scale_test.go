package kube

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/plan"
)

// BenchmarkPlanOfALargeCluster reads what a plan needs of 5,000 workers with 150,000 pods from an API, and plans their upgrade. What the
// machines say is at hand: bench -only observe asks machines. It tells elapsed time, processor time, that of the API in the same process
// included, and the most memory that was in use:
// go test -run '^$' -bench PlanOfALargeCluster -benchtime 1x ./lifecycle/kube
// It is to stay under 10 s and 1 GB; docs/performance.md has what it took.
func BenchmarkPlanOfALargeCluster(b *testing.B) {
	const workers, pods = 5000, 150_000
	large := largeCluster{nodes: workers, pods: pods}
	site, machines := largeUpgrade(workers)
	a := newAuthority(b)
	addr, _ := a.serve(b, certificateName, http.HandlerFunc(large.serve))
	connect := func(lifecycle.Credentials) (observe.API, error) {
		return New(given(a.kubeconfig(addr)), []Server{{Host: "controller-1", Address: addr}}, Options{}), nil
	}
	for b.Loop() {
		stop, began, at := watchHeap(), processorTime(b), time.Now()
		state, err := observe.Observe(b.Context(), site, machines, connect, nil)
		if err != nil || len(state.Nodes) != workers {
			b.Fatalf("%d nodes, %v, %s", len(state.Nodes), err, state.API.Unknown)
		}
		read := time.Now()
		p := plan.Make(site, state, lifecycle.PlanOptions{})
		if err := p.Diagnostics.Err(); err != nil || len(p.Steps) < workers {
			b.Fatalf("%d steps, %v", len(p.Steps), err)
		}
		b.ReportMetric(read.Sub(at).Seconds(), "s-read")
		b.ReportMetric(time.Since(read).Seconds(), "s-planned")
		b.ReportMetric((processorTime(b) - began).Seconds(), "cpu-s")
		b.ReportMetric(float64(stop())/(1<<20), "MiB-most")
		b.ReportMetric(float64(len(p.Steps)), "steps")
	}
}

// asked are machines that were asked already.
type asked lifecycle.MachineFacts

func (a asked) Facts(context.Context) (lifecycle.MachineFacts, error) {
	return lifecycle.MachineFacts(a), nil
}

// largeUpgrade is a site with a controller that has the declared version, and workers that do not.
func largeUpgrade(workers int) (lifecycle.Site, asked) {
	has, gets := lifecycle.Version{Major: 1, Minor: 35, Patch: 7, Build: 0}, lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}
	site := lifecycle.Site{Name: "large", Digest: "sha256:site", Cluster: lifecycle.Cluster{Name: "large", Version: gets},
		Policy: lifecycle.Policy{Workers: lifecycle.Rollout{MaxUnavailable: "5%", Canary: 1},
			Drain:  lifecycle.Drain{Timeout: 10 * time.Minute, DeleteEmptyDirData: true, EvictionRetry: 2 * time.Second},
			Settle: lifecycle.Settle{NodeTimeout: 5 * time.Minute, StableFor: 5 * time.Second, Timeout: 10 * time.Minute}}}
	facts := asked{Credentials: lifecycle.Credentials{Kubeconfig: []byte("as given")}}
	add := func(name string, role lifecycle.Role, v lifecycle.Version, address string) {
		site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: name, Role: role, Address: address, Port: 22, User: "root",
			Arguments: []string{"--data-dir=/var/lib/k0s"}})
		service := "k0sworker"
		if role.IsController() {
			service = "k0scontroller"
		}
		facts.Hosts = append(facts.Hosts, lifecycle.HostState{Name: name, Hostname: name, Arch: "amd64", FreeBytes: 10 << 30, Binary: v,
			Running: v,
			Service: lifecycle.ServiceRunning, ServiceName: service, Arguments: []string{"--data-dir=/var/lib/k0s"},
			Data: role.IsController()})
	}
	add("controller-1", lifecycle.RoleController, gets, "10.0.0.11")
	for i := range workers {
		add(fmt.Sprintf("n%04d", i), lifecycle.RoleWorker, has, fmt.Sprintf("10.1.%d.%d", i/250, 1+i%250))
	}
	return site, facts
}
