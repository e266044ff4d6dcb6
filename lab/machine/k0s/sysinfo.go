package k0s

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// probe is a check of `k0s sysinfo`, as its JSON has it.
type probe struct {
	Path        []string `json:"path"`
	DisplayName string   `json:"displayName"`
	Prop        string   `json:"prop"`
	Message     string   `json:"message"`
	Category    string   `json:"category"`
	Error       any      `json:"error"`
}

var errSysinfo = errors.New("sysinfo failed")

// probes are the checks of a version for what the machine is to do, fewer than the real ones.
func (s *session) probes(controller, worker bool) []probe {
	pass := func(name, prop string, path ...string) probe {
		return probe{Path: path, DisplayName: name, Prop: prop, Category: "pass"}
	}
	hw := s.opts.Hardware.Filled()
	out := []probe{pass("Total memory", gib(hw.Memory), "memory"),
		pass("File system of "+s.flags.dataDir, "ext4", "filesystem:"+s.flags.dataDir),
		pass("Disk space available for "+s.flags.dataDir, gib(hw.DiskFree), "disk:"+s.flags.dataDir),
		pass("Name resolution: localhost", "[127.0.0.1]", "nameResolution:localhost")}
	if c := s.containerd(s.version); worker && c.two {
		out = append(out, c.probes()...)
	}
	out = append(out, pass("Operating system", "Linux", "os"), pass("Linux kernel release", hw.Kernel(), "os", "linux:kernelRelease"),
		pass("AppArmor", "active", "os", "linux:apparmor"))
	if worker {
		out = append(out, pass("Control Groups", "version 2", "os", "linux:cgroups"))
	}
	if s.opts.Faults.isUnfit(s.version) {
		out = append(out, probe{Path: []string{"os", "kernelConfig:CGROUP_SCHED"}, DisplayName: "CONFIG_CGROUP_SCHED: Group CPU scheduler",
			Prop: "not available", Message: "required", Category: "rejected"})
	}
	return out
}

// gib is a size as k0s prints it.
func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// probes look at each drop-in: k0s has these checks since it brings containerd 2.
func (c containerd) probes() []probe {
	files := c.files()
	delete(files, containerdConfig)
	head := probe{Path: []string{"containerd:configSnippets"}, DisplayName: "Containerd config snippets in " + containerdDropIns,
		Prop: containerdDropIns, Category: "pass"}
	if len(files) == 0 {
		head.Prop = "no config snippets found"
	}
	var found []probe
	for file, text := range files {
		name := path.Base(file)
		p := probe{Path: []string{"containerd:configSnippets", "file:" + name}, DisplayName: "Containerd config snippet: " + name, Prop: file,
			Category: "pass"}
		if why := c.invalid(file, text); why != nil {
			p.Category, p.Message = "rejected", why.Error()
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b probe) int { return strings.Compare(a.Prop, b.Prop) })
	return append([]probe{head}, found...)
}

// sysinfoCommand asks a version what it thinks of the machine. JSON is told since v1.32.
func (s *session) sysinfoCommand() *cobra.Command {
	var controller, worker bool
	var output string
	c := s.command("sysinfo", "Display system information", func(*cobra.Command, []string) error {
		probes := s.probes(controller, worker)
		failed := slices.ContainsFunc(probes, func(p probe) bool { return p.Category == "rejected" })
		switch output {
		case "text":
			for _, p := range probes {
				fmt.Fprintf(s.call.Out, "%s: %s (%s)\n", p.DisplayName, p.Prop, p.Category)
			}
		case "json":
			b, err := json.MarshalIndent(probes, "", "  ")
			if err != nil {
				return err
			}
			if _, err := s.call.Out.Write(b); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unknown output format: %q", output)
		}
		if failed {
			return errSysinfo
		}
		return nil
	})
	c.Flags().BoolVar(&controller, "controller", true, "Include controller-specific sysinfo")
	c.Flags().BoolVar(&worker, "worker", true, "Include worker-specific sysinfo")
	output = "text"
	if s.minor() >= 32 {
		c.Flags().StringVarP(&output, "output", "o", "text", "Output format (valid values: text, json, yaml)")
	}
	return c
}

// minor is the minor release of the version; 0 for one that is none of k0s's.
func (s *session) minor() (minor int) {
	kube, _, _ := cutVersion(s.version)
	var major int
	_, _ = fmt.Sscanf(kube, "v%d.%d", &major, &minor)
	return minor
}
