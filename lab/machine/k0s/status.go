package k0s

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// statusDocument has the fields of `k0s status -o json`, no more and no less.
type statusDocument struct {
	Version                     string
	Pid                         int
	PPid                        int
	Role                        string
	SysInit                     string
	StubFile                    string
	Output                      string
	Workloads                   bool
	SingleNode                  bool
	Args                        []string
	WorkerToAPIConnectionStatus struct {
		Message string
		Success bool
	}
	ClusterConfig any
	K0sVars       map[string]any
}

func (s *session) statusCommand() *cobra.Command {
	var output string
	c := s.command("status", "Get k0s instance status information", func(*cobra.Command, []string) error {
		r, err := s.up()
		if err != nil {
			return err
		}
		d := s.statusDocument(r)
		switch output {
		case "json":
			b, err := json.MarshalIndent(d, "", "   ")
			if err != nil {
				return err
			}
			fmt.Fprintln(s.call.Out, string(b))
		case "yaml":
			b, err := yaml.Marshal(d)
			if err != nil {
				return err
			}
			_, err = s.call.Out.Write(b)
			return err
		case "text", "":
			fmt.Fprintf(s.call.Out, "Version: %s\nProcess ID: %d\nRole: %s\nWorkloads: %t\nSingleNode: %t\n", d.Version, d.Pid, d.Role, d.Workloads,
				d.SingleNode)
			if d.SysInit != "" {
				fmt.Fprintf(s.call.Out, "Init System: %s\nService file: %s\n", d.SysInit, d.StubFile)
			}
		default:
			return fmt.Errorf("unknown output format %q", output)
		}
		return nil
	})
	c.Flags().StringVarP(&output, "output", "o", "text", "sets type of output to json or yaml")
	return c
}

func (s *session) statusDocument(r *running) statusDocument {
	dir := r.flags.dataDir
	d := statusDocument{
		Version: r.version, Pid: r.pid, PPid: 1, Role: r.role, SysInit: "linux-systemd", StubFile: "/etc/systemd/system/" + r.unit + ".service",
		Workloads: r.flags.runsKubelet(r.role), SingleNode: r.flags.single, Args: r.argv,
		K0sVars: map[string]any{
			"AdminKubeConfigPath": dir + "/pki/admin.conf", "BinDir": dir + "/bin", "CertRootDir": dir + "/pki", "DataDir": dir,
			"EtcdCertDir": dir + "/pki/etcd",
			"EtcdDataDir": dir + "/etcd", "KubeletAuthConfigPath": dir + "/kubelet.conf", "KubeletRootDir": dir + "/kubelet",
			"ManifestsDir": dir + "/manifests",
			"RunDir":       "/run/k0s", "StatusSocketPath": "/run/k0s/status.sock", "StartupConfigPath": r.flags.config,
		},
	}
	d.WorkerToAPIConnectionStatus.Success = d.Workloads
	if b, err := s.opts.Root.ReadFile(r.flags.config); err == nil && r.role == "controller" {
		_ = yaml.Unmarshal(b, &d.ClusterConfig) // it was valid when the service started
	}
	return d
}
