package k0s

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/machine/posix"
)

var errUsage = errors.New("unknown command line")

var errRoot = errors.New("this command must be run as root!")

// session is one execution of the command line.
type session struct {
	*StandIn
	call    *posix.Call
	version string
	flags   flags
	// status is an exit code that a child program left.
	status int
}

// Program is the executable of one version.
func (k *StandIn) Program(version string) posix.Program {
	return func(ctx context.Context, c *posix.Call) int {
		s := &session{StandIn: k, call: c, version: version}
		root := s.root()
		args := c.Args[1:]
		if len(args) == 0 {
			args = []string{"--help"}
		}
		root.SetArgs(args)
		if err := root.ExecuteContext(ctx); err != nil {
			fmt.Fprintf(c.Err, "Error: %v\n", err)
			return 1
		}
		return s.status
	}
}

func (s *session) root() *cobra.Command {
	root := &cobra.Command{Use: "k0s", Short: "k0s - Zero Friction Kubernetes", SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}}
	root.SetIn(s.call.In)
	root.SetOut(s.call.Out)
	root.SetErr(s.call.Err)
	root.AddCommand(s.versionCommand(), s.statusCommand(), s.configCommand(), s.installCommand(), s.tokenCommand(), s.kubectlCommand(),
		s.etcdCommand(),
		s.kubeconfigCommand(), s.resetCommand(), s.backupCommand(), s.restoreCommand(), s.startCommand(), s.stopCommand(), s.airgapCommand(),
		s.sysinfoCommand(), s.ctrCommand())
	return root
}

// command is a subcommand with the flags that all have.
func (s *session) command(use, short string, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: run, Args: cobra.NoArgs}
	s.flags.common(c.Flags())
	return c
}

// parent is a command that only holds others.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Usage() }}
	c.AddCommand(children...)
	return c
}

// asRoot refuses other users.
func (s *session) asRoot() error {
	if s.call.User.UID != 0 {
		return errRoot
	}
	return nil
}

// up is the running service as the status socket would tell it.
func (s *session) up() (*running, error) {
	const socket = "/run/k0s/status.sock"
	r := s.current()
	switch {
	case r == nil || !r.answering:
		return nil, fmt.Errorf("status: can't get %q via %q: dial unix %s: connect: no such file or directory", "status", socket, socket)
	case s.call.User.UID != 0:
		return nil, fmt.Errorf("status: can't get %q via %q: dial unix %s: connect: permission denied", "status", socket, socket)
	}
	return r, nil
}

func (s *session) versionCommand() *cobra.Command {
	c := s.command("version", "Print the k0s version", func(*cobra.Command, []string) error {
		fmt.Fprintln(s.call.Out, s.version)
		return nil
	})
	c.Flags().BoolP("all", "a", false, "use to print all k0s version info")
	c.Flags().BoolP("json", "j", false, "use to print all k0s version info in json")
	return c
}

func (s *session) startCommand() *cobra.Command {
	return s.command("start", "Start the k0s service configured on this host. Must be run as root (or with sudo)",
		func(*cobra.Command, []string) error {
			return s.service(s.opts.Systemd.Start)
		})
}

func (s *session) stopCommand() *cobra.Command {
	return s.command("stop", "Stop the k0s service configured on this host. Must be run as root (or with sudo)",
		func(*cobra.Command, []string) error {
			return s.service(s.opts.Systemd.Stop)
		})
}

func (s *session) service(do func(string) error) error {
	if err := s.asRoot(); err != nil {
		return err
	}
	for _, u := range []string{"k0scontroller", "k0sworker"} {
		if _, err := s.call.Files.Stat("/etc/systemd/system/" + u + ".service"); err == nil {
			return do(u)
		}
	}
	return fmt.Errorf("couldn't find any installed k0s service")
}

func (s *session) airgapCommand() *cobra.Command {
	list := s.command("list-images", "List image names and version needed for airgapped installations", func(*cobra.Command, []string) error {
		kube, _, _ := cutVersion(s.version)
		for _, i := range []string{"quay.io/k0sproject/kube-proxy:" + kube, "quay.io/k0sproject/coredns:1.12.4",
			"quay.io/k0sproject/apiserver-network-proxy-agent:v0.33.0",
			"quay.io/k0sproject/metrics-server:v0.8.0", "quay.io/k0sproject/kube-router:v2.6.0", "quay.io/k0sproject/cni-node:1.8.0",
			"registry.k8s.io/pause:3.10.1"} {
			fmt.Fprintln(s.call.Out, i)
		}
		return nil
	})
	list.Flags().Bool("all", false, "include all images, even if they are not used in the current configuration")
	list.Flags().StringP("config", "c", "", "config file")
	return parent("airgap", "Tooling for airgapped installations", list)
}

// pathError tells a file error as Go programs do: "open /path: permission denied".
func pathError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s %s: %w", pe.Op, pe.Path, pe.Err)
	}
	return err
}
