package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lab/machine/k0s"
	"kiban.dev/kiban/lab/machine/posix"
)

// Roles that a machine may be meant for. What it becomes is decided by what is installed on it; its address follows the role.
const (
	RoleController = "controller"
	RoleWorker     = "worker"
)

// At most so many machines fit a lab.
const (
	maxControllers = 50
	maxWorkers     = 12000
)

// Spec is one machine. Only Name and Role are needed: the rest is as posix.Ordinary and the simulated kubelet have it.
type Spec struct {
	// Name is the host name, as RFC 1123 has it; capital letters are allowed, as hosts may have them.
	Name string `json:"name"`
	Role string `json:"role"`
	// Address is given by the lab: controllers at Net.11 and on, workers at Net.101 and on.
	Address string `json:"address,omitempty"`
	// Arch is amd64 or arm64.
	Arch string `json:"arch,omitempty"`
	// CPUs is how many processors there are; Memory, Disk and DiskFree are sizes in bytes: "64Gi", or a number.
	CPUs     int               `json:"cpus,omitempty"`
	Memory   resource.Quantity `json:"memory,omitzero"`
	Disk     resource.Quantity `json:"disk,omitzero"`
	DiskFree resource.Quantity `json:"diskFree,omitzero"`
	// Pods is how many pods fit the machine's node, Zone its label topology.kubernetes.io/zone.
	Pods int    `json:"pods,omitempty"`
	Zone string `json:"zone,omitempty"`
	// Light gives a controller an API that keeps what it is given and does nothing by itself (package lightapi), in the lab's own
	// process, in place of etcd, API server, controller manager and scheduler.
	Light bool `json:"light,omitempty"`
	// Capacity and Allocatable overrule what the node's status would have from the fields above, and may name resources of others
	// (nvidia.com/gpu).
	Capacity    corev1.ResourceList `json:"capacity,omitempty"`
	Allocatable corev1.ResourceList `json:"allocatable,omitempty"`
}

// ReadSpecs reads a list of machines from a YAML or JSON file. A field that is unknown is an error.
func ReadSpecs(file string) ([]Spec, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []Spec
	if err := yaml.UnmarshalStrict(b, &list); err != nil {
		return nil, fmt.Errorf("%s: it must be a list of machines, such as [{name: worker-1, role: worker}]: %w", file, err)
	}
	if err := checkSpecs(list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// checkSpecs finds what is wrong with a list of machines, all of it.
func checkSpecs(list []Spec) error {
	if len(list) == 0 {
		return errors.New("it names no machine")
	}
	var errs []error
	seen, count := map[string]bool{}, map[string]int{}
	for i, s := range list {
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("machine %d (%q): %w", i+1, s.Name, err))
		}
		lower := strings.ToLower(s.Name)
		if seen[lower] {
			errs = append(errs, fmt.Errorf("machine %d: there are two of the name %q", i+1, s.Name))
		}
		seen[lower] = true
		count[s.Role]++
	}
	if count[RoleController] > maxControllers || count[RoleWorker] > maxWorkers {
		errs = append(errs, fmt.Errorf("%d controllers and %d workers: at most %d and %d", count[RoleController], count[RoleWorker],
			maxControllers, maxWorkers))
	}
	return errors.Join(errs...)
}

func (s Spec) check() error {
	var errs []error
	if problems := validation.IsDNS1123Subdomain(strings.ToLower(s.Name)); len(problems) > 0 {
		errs = append(errs, errors.New("the name is no host name: letters, digits, '-' and '.', at most 253 of them"))
	}
	if s.Role != RoleController && s.Role != RoleWorker {
		errs = append(errs, fmt.Errorf("the role is %q, not %s or %s", s.Role, RoleController, RoleWorker))
	}
	if s.Arch != "" && s.Arch != "amd64" && s.Arch != "arm64" {
		errs = append(errs, fmt.Errorf("the architecture is %q, not amd64 or arm64", s.Arch))
	}
	if s.CPUs < 0 || s.Pods < 0 || s.Memory.Sign() < 0 || s.Disk.Sign() < 0 || s.DiskFree.Sign() < 0 {
		errs = append(errs, errors.New("cpus, memory, disk, diskFree and pods can't be negative"))
	}
	if !s.Disk.IsZero() && s.DiskFree.Cmp(s.Disk) > 0 {
		errs = append(errs, errors.New("more of the disk is free than there is"))
	}
	if problems := validation.IsValidLabelValue(s.Zone); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("the zone %q is no value of a label: %s", s.Zone, strings.Join(problems, "; ")))
	}
	return errors.Join(errs...)
}

// hardware is what the machine's programs tell of it.
func (s Spec) hardware() posix.Hardware {
	return posix.Hardware{CPUs: s.CPUs, Memory: s.Memory.Value(), Disk: s.Disk.Value(), DiskFree: s.DiskFree.Value(), Arch: s.Arch}.Filled()
}

// node is what the machine's kubelet says of it. What was not said of the machine is not said here.
func (s Spec) node() k0s.NodeOptions {
	o := k0s.NodeOptions{Zone: s.Zone, Capacity: corev1.ResourceList{}, Allocatable: s.Allocatable}
	if s.CPUs > 0 {
		o.Capacity[corev1.ResourceCPU] = *resource.NewQuantity(int64(s.CPUs), resource.DecimalSI)
	}
	if s.Pods > 0 {
		o.Capacity[corev1.ResourcePods] = *resource.NewQuantity(int64(s.Pods), resource.DecimalSI)
	}
	if !s.Memory.IsZero() {
		o.Capacity[corev1.ResourceMemory] = s.Memory
	}
	if !s.Disk.IsZero() {
		o.Capacity[corev1.ResourceEphemeralStorage] = s.Disk
	}
	for name, quantity := range s.Capacity {
		o.Capacity[name] = quantity
	}
	return o
}

// counted are the machines of a lab that only says how many there are.
func counted(prefix string, controllers, workers int) []Spec {
	var list []Spec
	for i := range controllers {
		list = append(list, Spec{Name: fmt.Sprintf("%scontroller-%d", prefix, i+1), Role: RoleController})
	}
	for i := range workers {
		list = append(list, Spec{Name: fmt.Sprintf("%sworker-%d", prefix, i+1), Role: RoleWorker})
	}
	return list
}

// placed gives the machines their addresses: controllers at net.11 and on, workers at net.101 and on, a hundred to each third octet.
// Controllers come first, otherwise the order stays.
func placed(list []Spec, net string) ([]Spec, error) {
	first, err := netip.ParseAddr(net + ".0")
	if err != nil {
		return nil, err
	}
	octets := first.As4()
	var controllers, workers []Spec
	for _, s := range list {
		if s.Role == RoleController {
			s.Address = fmt.Sprintf("%s.%d", net, 11+len(controllers))
			controllers = append(controllers, s)
			continue
		}
		third := int(octets[2]) + len(workers)/100
		s.Address = fmt.Sprintf("%d.%d.%d.%d", octets[0], int(octets[1])+third/256, third%256, 101+len(workers)%100)
		workers = append(workers, s)
	}
	return append(controllers, workers...), nil
}
