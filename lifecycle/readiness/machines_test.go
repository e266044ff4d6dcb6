package readiness

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// alike is a site of so many workers that are alike, and one controller.
func alike(workers int, change func(hosts []lifecycle.HostState)) Input {
	in := Input{Site: lifecycle.Site{Name: "lab"}, Now: now, Target: lifecycle.Version{Major: 1, Minor: 36, Patch: 3}}
	v := lifecycle.Version{Major: 1, Minor: 36, Patch: 2}
	add := func(name string, role lifecycle.Role, kernel string) {
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: role})
		in.State.Hosts = append(in.State.Hosts, lifecycle.HostState{Name: name, ServiceName: "k0sworker", Binary: v, Running: v, Arch: "amd64",
			OS: "debian 12", Kernel: kernel, MemoryBytes: 64<<30 - int64(len(in.State.Hosts))<<20, Program: "/usr/local/bin/k0s"})
	}
	add("c1", lifecycle.RoleController, "6.12.1")
	for i := range workers {
		add(fmt.Sprintf("w%d", i+1), lifecycle.RoleWorker, "6.1.0-25")
	}
	if change != nil {
		change(in.State.Hosts)
	}
	return in
}

// What one machine has unlike the others of its role is named, with what the others have; other roles, and what differs everywhere, are
// not.
func TestMachinesUnlikeTheirSiblings(t *testing.T) {
	kernels := func(n int) func([]lifecycle.HostState) {
		return func(h []lifecycle.HostState) {
			for i := range n {
				h[3+i].Kernel = "6.1.0-18"
			}
		}
	}
	const good, attention = lifecycle.RankGood, lifecycle.RankAttention
	for name, tt := range map[string]struct {
		workers int
		change  func(hosts []lifecycle.HostState)
		subject string
		summary string // "" for no finding
		rank    lifecycle.Rank
	}{
		"all alike":        {workers: 12},
		"one other kernel": {12, kernels(1), "w3", "kernel 6.1.0-18 on w3, 6.1.0-25 on 11 others", good},
		"two of one":       {12, kernels(2), "workers", "kernel 6.1.0-18 on w3 and w4, 6.1.0-25 on 10 others", good},
		"half and half":    {workers: 6, change: kernels(3)},
		"of three":         {workers: 3, change: kernels(1)},
		"another system": {5, func(h []lifecycle.HostState) { h[2].OS = "debian 11" }, "w2",
			"system debian 11 on w2, debian 12 on 4 others", good},
		"less memory": {5, func(h []lifecycle.HostState) { h[2].MemoryBytes = 32 << 30 }, "w2",
			"memory 32 GiB on w2, 64 GiB on 4 others", good},
		"memory that differs by little": {workers: 5, change: func(h []lifecycle.HostState) { h[2].MemoryBytes -= 200 << 20 }},
		"memory that is not told":       {workers: 5, change: func(h []lifecycle.HostState) { h[2].MemoryBytes = 0 }},
		"swap": {5, func(h []lifecycle.HostState) { h[2].SwapBytes = 1 << 30 }, "w2",
			"swap on on w2, off on 4 others", good},
		"cgroup": {5, func(h []lifecycle.HostState) { h[2].CgroupV1 = true }, "w2",
			"cgroup v1 on w2, v2 on 4 others", attention},
		"a drop-in": {5, func(h []lifecycle.HostState) {
			h[2].DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/gpu.toml", Form: 3}}
		}, "w2", "containerd drop-in /etc/k0s/containerd.d/gpu.toml of version 3 on w2, none of somebody else's on 4 others", attention},
	} {
		t.Run(name, func(t *testing.T) {
			var got []lifecycle.ReadinessFinding
			for _, f := range Check(alike(tt.workers, tt.change)).Findings {
				if f.Rule == "unlike-its-siblings" {
					got = append(got, f)
				}
			}
			switch {
			case tt.summary == "" && len(got) == 0:
			case tt.summary == "" || len(got) != 1 || got[0].Summary != tt.summary || got[0].Subject != tt.subject || got[0].Rank != tt.rank:
				t.Errorf("%+v", got)
			}
		})
	}
}

// A file that the site declares for one machine is its own affair.
func TestDeclaredDropInsAreNoDifference(t *testing.T) {
	in := alike(5, func(h []lifecycle.HostState) {
		h[2].DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/gpu.toml", Form: 3}}
	})
	in.Site.Cluster.Hosts[2].Files = []lifecycle.HostFile{{Path: "/etc/k0s/containerd.d/gpu.toml"}}
	if f := Check(in).Findings; len(f) > 0 {
		t.Errorf("%+v", f)
	}
}

// On a machine with a runtime of its own nobody reads drop-ins of k0s's, so they are no difference; on one without they are.
func TestDropInsThatNobodyReadsAreNoDifference(t *testing.T) {
	in := alike(5, func(h []lifecycle.HostState) {
		h[2].DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/gpu.toml", Form: 2}}
	})
	if f := Check(in).Findings; len(f) == 0 {
		t.Error("a drop-in that containerd reads is no difference")
	}
	in.Site.Cluster.Hosts[2].Arguments = []string{"--cri-socket=remote:/run/crio/crio.sock"}
	if f := Check(in).Findings; len(f) > 0 {
		t.Errorf("%+v", f)
	}
}

// What k0s needs of a machine: room, memory, a clock.
func TestWhatK0sNeedsOfAMachine(t *testing.T) {
	for rule, tt := range map[string]struct {
		change func(h []lifecycle.HostState)
		rank   lifecycle.Rank
		seen   string
	}{
		"machine-disk":   {func(h []lifecycle.HostState) { h[1].Full = []string{"/var/lib"} }, lifecycle.RankBlocks, "/var/lib"},
		"machine-memory": {func(h []lifecycle.HostState) { h[1].MemoryBytes = 400 << 20 }, lifecycle.RankAttention, "400 MiB"},
		"machine-clock":  {func(h []lifecycle.HostState) { h[1].ClockOffset = -90 }, lifecycle.RankAttention, "-90 s"},
	} {
		var found bool
		for _, f := range Check(alike(2, tt.change)).Findings {
			found = found || f.Rule == rule && f.Rank == tt.rank && f.Subject == "w1" && strings.Contains(f.Seen[0], tt.seen)
		}
		if !found {
			t.Errorf("%s is not found: %+v", rule, Check(alike(2, tt.change)).Findings)
		}
	}
	small := alike(2, func(h []lifecycle.HostState) { h[0].MemoryBytes = 800 << 20 })
	if f := Check(small).Findings; len(f) != 1 || f[0].Subject != "c1" || !strings.Contains(f[0].Seen[0], "1024 MiB of a controller") {
		t.Errorf("a controller with 800 MiB: %+v", f)
	}
}
