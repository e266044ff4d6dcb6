package k0s

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (s *session) installCommand() *cobra.Command {
	return parent("install", "Install k0s on a brand-new system. Must be run as root (or with sudo)", s.installRole("controller"),
		s.installRole("worker"))
}

func (s *session) installRole(role string) *cobra.Command {
	var force, start bool
	var env []string
	c := &cobra.Command{Use: role, Short: "Install k0s " + role + " on a brand-new system. Must be run as root (or with sudo)",
		Args: cobra.NoArgs}
	if role == "controller" {
		s.flags.controller(c.Flags())
	} else {
		s.flags.worker(c.Flags())
	}
	c.Flags().BoolVar(&force, "force", false, "force init script creation")
	c.Flags().BoolVar(&start, "start", false, "start the service immediately")
	c.Flags().StringArrayVarP(&env, "env", "e", nil, "set environment variable")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := s.asRoot(); err != nil {
			return err
		}
		name := "k0s" + role
		unit := "/etc/systemd/system/" + name + ".service"
		if _, err := s.call.Files.Stat(unit); err == nil && !force {
			return fmt.Errorf("failed to install service: Init already exists: %s", unit)
		}
		if role == "controller" {
			if err := s.addAccounts(); err != nil {
				return fmt.Errorf("failed to create users: %w", pathError(err))
			}
		}
		binary := s.call.Path
		if err := s.call.Files.WriteFile(unit, []byte(unitFile(binary, role, serviceArgs(c.Flags()), env)), 0o644); err != nil {
			return fmt.Errorf("failed to install service: %w", pathError(err))
		}
		if err := s.opts.Systemd.Enable(s.call.Files, name); err != nil {
			return fmt.Errorf("failed to install service: %w", err)
		}
		if start {
			return s.opts.Systemd.Start(name)
		}
		return nil
	}
	return c
}

// apiServerUser is whom the API server runs as.
const (
	apiServerUser = "kube-apiserver"
	apiServerUID  = 998
)

// addAccounts creates the system users of a controller's programs, where they are missing. They outlive a reset, as k0s's do.
func (s *session) addAccounts() error {
	passwd, err := s.opts.Root.ReadFile("/etc/passwd")
	if err != nil {
		return err
	}
	for i, name := range []string{"etcd", apiServerUser, "konnectivity-server", "kube-scheduler"} {
		if !strings.Contains(string(passwd), "\n"+name+":") {
			passwd = fmt.Appendf(passwd, "%s:x:%d:%[2]d::/var/lib/k0s:/usr/sbin/nologin\n", name, apiServerUID-1+i)
		}
	}
	return s.opts.Root.WriteFile("/etc/passwd", passwd, 0o644)
}

// serviceArgs are the flags that were given, as "--name=value" in the order of their names; those that concern the installation
// alone are left out.
func serviceArgs(given *pflag.FlagSet) []string {
	var args []string
	given.Visit(func(f *pflag.Flag) {
		v := f.Value.String()
		switch f.Name {
		case "env", "force", "start":
			return
		case "data-dir", "token-file", "config", "kubelet-root-dir":
			if v != "-" && !path.IsAbs(v) {
				v = "/" + v
			}
		}
		args = append(args, "--"+f.Name+"="+v)
	})
	return args
}

func unitFile(binary, role string, args, env []string) string {
	line := escape(binary) + " " + role
	for _, a := range args {
		line += " " + escape(a)
	}
	var environment strings.Builder
	for _, e := range env {
		fmt.Fprintf(&environment, "Environment=\"%s\"\n", e)
	}
	return `[Unit]
Description=k0s - Zero Friction Kubernetes
Documentation=https://docs.k0sproject.io
ConditionFileIsExecutable=` + escape(binary) + `

After=network-online.target
Wants=network-online.target

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=` + line + `
` + environment.String() + `
RestartSec=10
Delegate=yes
KillMode=process
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
LimitNOFILE=999999
Restart=always

[Install]
WantedBy=multi-user.target
`
}

// escape writes a word for systemd.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\x20`, `"`, `\x22`, "'", `\x27`).Replace(s)
}

func (s *session) resetCommand() *cobra.Command {
	c := s.command("reset", "Uninstall k0s. Must be run as root (or with sudo)", func(*cobra.Command, []string) error {
		if err := s.asRoot(); err != nil {
			return err
		}
		if s.current() != nil {
			return errors.New("k0s seems to be running! please stop k0s before reset")
		}
		return s.reset()
	})
	c.Flags().StringP("config", "c", "/etc/k0s/k0s.yaml", "config file, use '-' to read the config from stdin")
	c.Flags().String("cri-socket", "", "container runtime socket to use, default to internal containerd.")
	c.Flags().String("kubelet-root-dir", "", "Kubelet root directory for k0s")
	return c
}

// reset leaves what k0s leaves: /etc/k0s with the configuration and the token file, and the binary.
func (s *session) reset() error {
	node := s.nodeName()
	for _, role := range []string{"controller", "worker"} {
		unit := "/etc/systemd/system/k0s" + role + ".service"
		if _, err := s.call.Files.Stat(unit); err != nil {
			continue
		}
		_ = s.opts.Systemd.Stop("k0s" + role) // a service that waits for its restart is over, too, before it starts pods again
		if err := s.opts.Systemd.Disable(s.call.Files, "k0s"+role); err != nil {
			return pathError(err)
		}
		if err := s.call.Files.Remove(unit); err != nil {
			return pathError(err)
		}
	}
	s.opts.Fleet.KillPods(node)
	for _, dir := range []string{s.flags.dataDir, "/run/k0s"} {
		if err := s.call.Files.RemoveAll(dir); err != nil {
			return pathError(err)
		}
	}
	return nil
}

// nodeName is the node that this machine was installed as.
func (k *StandIn) nodeName() string {
	for _, role := range []string{"worker", "controller"} {
		b, err := k.opts.Root.ReadFile("/etc/systemd/system/k0s" + role + ".service")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if argv, ok := strings.CutPrefix(line, "ExecStart="); ok {
				if _, f, err := parseRole(strings.Fields(strings.ReplaceAll(argv, `\x20`, "\x00"))); err == nil {
					f.kubeletExtraArgs = strings.ReplaceAll(f.kubeletExtraArgs, "\x00", " ")
					return f.nodeName(k.opts.Hostname())
				}
			}
		}
	}
	return strings.ToLower(k.opts.Hostname())
}
