package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func specs(t *testing.T, text string) ([]Spec, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "machines.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return ReadSpecs(file)
}

// TestMachinesAreWhatTheFileSays: programs and node tell what was asked for, and what was not asked for is as ever.
func TestMachinesAreWhatTheFileSays(t *testing.T) {
	list, err := specs(t, `
- {name: node-a.site.example.com, role: worker, cpus: 8, memory: 34359738368, disk: 100Gi, diskFree: 10Gi, pods: 250, zone: rack-1,
   arch: arm64, allocatable: {cpu: 7500m, nvidia.com/gpu: "2"}, capacity: {nvidia.com/gpu: "2"}}
- {name: CP-1, role: controller}
`)
	if err != nil {
		t.Fatal(err)
	}
	l := labOf(t, Options{Machines: list})
	names := []string{}
	for _, m := range l.Machines() {
		names = append(names, m.Name+" "+m.Address)
	}
	want := strings.ReplaceAll("CP-1 NET.11, node-a.site.example.com NET.101", "NET", l.Info().Net)
	if got := strings.Join(names, ", "); got != want {
		t.Fatalf("%s, not %s", got, want)
	}
	for _, tc := range []struct{ machine, command, want string }{
		{"node-a.site.example.com", "nproc", "8\n"},
		{"node-a.site.example.com", "uname -nrm", "node-a.site.example.com 6.1.0-31-arm64 aarch64\n"},
		{"node-a.site.example.com", "hostname; hostname -s", "node-a.site.example.com\nnode-a\n"},
		{"node-a.site.example.com", "grep MemTotal /proc/meminfo", "MemTotal:       33554432 kB\n"},
		{"node-a.site.example.com", "free -b | sed -n 2p | tr -s ' ' | cut -d' ' -f2", "34359738368\n"},
		{"node-a.site.example.com", "df -Pk / | tail -n 1 | tr -s ' ' | cut -d' ' -f2,4", "104857600 10485760\n"},
		{"node-a.site.example.com", "stat -f -c '%b %a' /", "26214400 2621440\n"},
		{"CP-1", "nproc; uname -m", "16\nx86_64\n"},
		{"CP-1", "head -n 3 /proc/meminfo", "MemTotal:       65807484 kB\nMemFree:        61012312 kB\nMemAvailable:   63576440 kB\n"},
		{"CP-1", "df -Pk / | tail -n 1 | tr -s ' ' | cut -d' ' -f2,4", "67108864 52428800\n"},
	} {
		if got := run(l.Machine(tc.machine), "root", tc.command, ""); got.out != tc.want || got.status != 0 {
			t.Errorf("%s$ %s: %s, not %q", tc.machine, tc.command, got, tc.want)
		}
	}
	node := list[0].node()
	gpu := node.Capacity["nvidia.com/gpu"]
	if node.Zone != "rack-1" || node.Capacity.Cpu().Value() != 8 || node.Capacity.Pods().Value() != 250 ||
		node.Capacity.Memory().Value() != 32<<30 || gpu.Value() != 2 || node.Allocatable.Cpu().MilliValue() != 7500 {
		t.Errorf("%+v", node)
	}
	if plain := list[1].node(); len(plain.Capacity) != 0 || plain.Zone != "" {
		t.Errorf("what was not asked for is said: %+v", plain)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		if _, err := os.Stat(filepath.Join(l.MirrorDir(), Versions()[0], "k0s-"+Versions()[0]+"-"+arch)); err != nil {
			t.Error(err)
		}
	}
}

func TestMachinesThatMakeNoSenseAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{name: a}":                                              "must be a list",
		"[]":                                                     "names no machine",
		"[{name: a, role: worker, cores: 4}]":                    "cores",
		"[{name: a}]":                                            "role",
		"[{name: a, role: etcd}]":                                `role is "etcd"`,
		"[{name: a_b, role: worker}]":                            "host name",
		"[{name: ../x, role: worker}]":                           "host name",
		"[{role: worker}]":                                       "host name",
		"[{name: a, role: worker, cpus: -1}]":                    "negative",
		"[{name: a, role: worker, memory: much}]":                "quantities",
		"[{name: a, role: worker, zone: b c}]":                   "zone",
		"[{name: a, role: worker, arch: riscv}]":                 "architecture",
		"[{name: a, role: worker, disk: 1, diskFree: 2}]":        "more of the disk",
		"[{name: a, role: worker}, {name: A, role: controller}]": "two of the name",
	} {
		if _, err := specs(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, without %q", text, err, want)
		}
	}
}

// TestNoTwoMachinesAreTakenForOne: long names differ at their beginnings alone.
func TestNoTwoMachinesAreTakenForOne(t *testing.T) {
	if a, b := identity("worker-1.rack.site.example.com"), identity("worker-2.rack.site.example.com"); a == b || len(a) != 32 {
		t.Errorf("%s %s", a, b)
	}
}

func TestPlaces(t *testing.T) {
	list, err := placed(append(counted("x-", 0, 101), Spec{Name: "c", Role: RoleController}), "127.99.255")
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Name + list[0].Address + " " + list[1].Address + " " + list[101].Name + list[101].Address; got !=
		"c127.99.255.11 127.99.255.101 x-worker-101127.100.0.101" {
		t.Error(got)
	}
}
