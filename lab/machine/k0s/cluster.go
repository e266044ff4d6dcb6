package k0s

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/controlplane"
)

// own is this machine's controller, by the data folder of the command line.
func (s *session) own() (*controlplane.Controller, error) {
	if err := s.asRoot(); err != nil {
		return nil, err
	}
	c := s.controller(s.version, s.flags.dataDir)
	cfg, err := s.config("")
	if err != nil {
		return nil, err
	}
	c.Config = cfg
	return c, nil
}

func (s *session) tokenCommand() *cobra.Command {
	var role, expiry string
	create := s.command("create", "Create join token", func(cmd *cobra.Command, _ []string) error {
		d, err := time.ParseDuration(expiry)
		if err != nil {
			return fmt.Errorf("invalid argument %q for \"--expiry\" flag: %w", expiry, err)
		}
		if role != "worker" && role != "controller" {
			return fmt.Errorf("unsupported role %q; supported roles are %q and %q", role, "controller", "worker")
		}
		c, err := s.own()
		if err != nil {
			return err
		}
		t, err := c.CreateToken(cmd.Context(), role, d)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.call.Out, t)
		return nil
	})
	create.Flags().StringVar(&role, "role", "worker", "Either worker or controller")
	create.Flags().StringVar(&expiry, "expiry", "0s", "Expiration time of the token. Format 1.5h, 2h45m or 300ms.")
	create.Flags().Bool("wait", false, "wait forever (default false)")
	create.Flags().StringP("config", "c", "", "config file, use '-' to read the config from stdin")

	invalidate := s.command("invalidate [join-token...]", "Invalidates existing join token", func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("invalidate requires at least one token ID to invalidate")
		}
		c, err := s.own()
		if err != nil {
			return err
		}
		for _, id := range args {
			if err := c.InvalidateToken(cmd.Context(), id); err != nil {
				return err
			}
			fmt.Fprintf(s.call.Out, "token: %s deleted successfully\n", id)
		}
		return nil
	})
	invalidate.Args = cobra.ArbitraryArgs

	var listRole string
	list := s.command("list", "List join tokens", func(cmd *cobra.Command, _ []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		return s.listTokens(cmd.Context(), c, listRole)
	})
	list.Flags().StringVar(&listRole, "role", "", "Either worker, controller or empty for all roles")
	return parent("token", "Manage join tokens", create, invalidate, list)
}

func (s *session) etcdCommand() *cobra.Command {
	members := s.command("member-list", "List etcd cluster members (JSON encoded)", func(cmd *cobra.Command, _ []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		ms, err := c.EtcdMembers(cmd.Context())
		if err != nil {
			return fmt.Errorf("can't list etcd cluster members: %w", err)
		}
		byName := map[string]string{}
		for _, m := range ms {
			byName[m.Name] = m.PeerURL
		}
		return json.NewEncoder(s.call.Out).Encode(map[string]any{"members": byName})
	})
	var peer string
	leave := s.command("leave", "Leave the etcd cluster, or remove a specific peer", func(cmd *cobra.Command, _ []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		return c.EtcdLeave(cmd.Context(), peer)
	})
	leave.Flags().StringVar(&peer, "peer-address", "", "etcd peer address to remove (default <this node's peer address>)")
	health := s.command("health", "Check the health of the local etcd cluster member", func(cmd *cobra.Command, _ []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		_, err = c.EtcdMembers(cmd.Context())
		return err
	})
	return parent("etcd", "Manage etcd cluster", members, leave, health)
}

func (s *session) kubeconfigCommand() *cobra.Command {
	admin := s.command("admin", "Display Admin's Kubeconfig", func(*cobra.Command, []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		b, err := c.AdminKubeconfig()
		if err != nil {
			return fmt.Errorf("failed to read admin config, check if the control plane is initialized on this node: %w",
				errors.New(strings.ReplaceAll(err.Error(), s.opts.Disk.Real("/"), "")))
		}
		_, err = s.call.Out.Write(b)
		return err
	})
	admin.Flags().StringP("config", "c", "", "config file")
	return parent("kubeconfig", "Create a kubeconfig file for a specified user", admin)
}

func (s *session) backupCommand() *cobra.Command {
	var save string
	c := s.command("backup", "Back-Up k0s configuration. Must be run as root (or with sudo)", func(cmd *cobra.Command, _ []string) error {
		c, err := s.own()
		if err != nil {
			return err
		}
		if r := s.current(); r == nil || r.controller == nil {
			return errors.New("unable to detect cluster status: k0s is not running")
		}
		if save == "-" {
			return c.Backup(cmd.Context(), s.call.Out)
		}
		name := path.Join(save, "k0s_backup_"+time.Now().UTC().Format("2006-01-02T15_04_05_000Z")+".tar.gz")
		f, err := s.call.Files.Open(name, createFlags, 0o600)
		if err != nil {
			return pathError(err)
		}
		err = c.Backup(cmd.Context(), f)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			fmt.Fprintf(s.call.Err, "archive %s created successfully\n", name)
		}
		return err
	})
	c.Flags().StringVar(&save, "save-path", ".", "destination directory path for backup assets, use '-' for stdout")
	c.Flags().StringP("config", "c", "", "config file")
	return c
}

func (s *session) restoreCommand() *cobra.Command {
	c := s.command("restore filename",
		"restore k0s state from given backup archive. Use '-' as filename to read from stdin. Must be run as root (or with sudo)",
		func(_ *cobra.Command, args []string) error {
			c, err := s.own()
			if err != nil {
				return err
			}
			if s.current() != nil {
				return errors.New("k0s seems to be running! k0s must be down during the restore operation")
			}
			if args[0] == "-" {
				return c.Restore(s.call.In)
			}
			f, err := s.call.Files.Open(args[0], 0, 0)
			if err != nil {
				return pathError(err)
			}
			defer f.Close()
			return c.Restore(f)
		})
	c.Args = cobra.ExactArgs(1)
	c.Flags().String("config-out", "", "Specify desired name and full path for the restored k0s.yaml file")
	return c
}
