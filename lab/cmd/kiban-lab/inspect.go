package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/machine"
)

func statusCommand(dir *string) *cobra.Command {
	var output string
	c := &cobra.Command{Use: "status", Short: "List the machines and what runs on them", Args: cobra.NoArgs}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var list []machineStatus
		if err := ask(c.Context(), *dir, "GET", "/status", nil, &list); err != nil {
			return err
		}
		if output == "json" {
			return json.NewEncoder(c.OutOrStdout()).Encode(list)
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "MACHINE\tADDRESS\tPOWER\tK0S\tROLE\tFAULTS")
		for _, m := range list {
			power, k0s := "on", m.K0s
			if !m.Power {
				power = "off"
			}
			if k0s == "" {
				k0s = "-"
			} else if !m.Answers {
				k0s += " (starting)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Name, m.Address, power, k0s, m.Role, strings.Join(m.Faults, "; "))
		}
		return w.Flush()
	}
	return c
}

func markCommand(dir *string) *cobra.Command {
	return &cobra.Command{Use: "mark", Short: "Print a mark, to ask later what has happened since", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := machine.RecordMark(machine.RecordFile(*dir))
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), m)
			return nil
		}}
}

func commandsCommand(dir *string) *cobra.Command {
	var name, output, since string
	var changes bool
	c := &cobra.Command{Use: "commands", Short: "Show what each machine was sent, and what was changed on it", Args: cobra.NoArgs,
		Long: "Show every command that the machines were sent. With --changes: what was altered instead, files and services."}
	c.Flags().StringVar(&name, "machine", "", "of this machine alone")
	c.Flags().BoolVar(&changes, "changes", false, "files that were written, removed or re-owned, and services that were started or stopped")
	c.Flags().StringVar(&since, "since", "", "only what came after this mark, which kiban-lab mark printed")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json: one record a line, of every kind unless --changes is given")
	c.RunE = func(c *cobra.Command, _ []string) error {
		mark, err := machine.ParseMark(since)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetEscapeHTML(false)
		return machine.ReadRecords(machine.RecordFile(*dir), mark, func(r machine.Record) error {
			switch {
			case name != "" && r.Machine != name:
				return nil
			case changes && !r.IsChange():
				return nil
			case output == "json":
				return enc.Encode(r)
			case !changes && r.IsChange():
				return nil
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), r)
			return err
		})
	}
	return c
}

func kubeconfigCommand(dir *string) *cobra.Command {
	return &cobra.Command{Use: "kubeconfig", Short: "Print the administrator's kubeconfig", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var a access
			if err := ask(c.Context(), *dir, "GET", "/access", nil, &a); err != nil {
				return err
			}
			_, err := c.OutOrStdout().Write(a.Kubeconfig)
			return err
		}}
}

func kubectlCommand(dir *string) *cobra.Command {
	return &cobra.Command{Use: "kubectl [-- ARGS]", Short: "Run kubectl as the cluster's administrator", DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && args[0] == "--dir" {
				*dir, args = args[1], args[2:]
			} else if len(args) > 0 && strings.HasPrefix(args[0], "--dir=") {
				*dir, args = strings.TrimPrefix(args[0], "--dir="), args[1:]
			}
			if len(args) > 0 && args[0] == "--" {
				args = args[1:]
			}
			var a access
			if err := ask(c.Context(), *dir, "GET", "/access", nil, &a); err != nil {
				return err
			}
			file := filepath.Join(*dir, "admin.conf")
			if err := os.WriteFile(file, a.Kubeconfig, 0o600); err != nil {
				return err
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			k := exec.CommandContext(c.Context(), self, append([]string{"applet", "kubectl"}, args...)...)
			k.Env = append(os.Environ(), "KUBECONFIG="+file)
			k.Stdin, k.Stdout, k.Stderr = os.Stdin, os.Stdout, os.Stderr
			err = k.Run()
			if exit, ok := err.(*exec.ExitError); ok {
				os.Exit(exit.ExitCode())
			}
			return err
		}}
}

func mirrorCommand() *cobra.Command {
	var versions []string
	c := &cobra.Command{Use: "mirror FOLDER", Short: "Write a release mirror of stand-in binaries", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := played(versions); err != nil {
				return err
			}
			return machine.WriteMirror(args[0], versions)
		}}
	c.Flags().StringSliceVar(&versions, "version", machine.Versions(), "a release; may be repeated")
	return c
}
