package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/machine"
)

func faultCommand(dir *string) *cobra.Command {
	var clear bool
	var list strings.Builder
	for _, k := range machine.FaultKinds() {
		fmt.Fprintf(&list, "  %-34s %s\n", strings.TrimSpace(k.Name+" "+k.Args), k.Help)
	}
	c := &cobra.Command{
		Use: "fault MACHINE|all KIND [ARGS]", Short: "Make something go wrong on a machine",
		Long: "Make something go wrong on a machine, or on all. `fault --clear [MACHINE]` makes everything well again.\n\nKinds:\n" +
			list.String(),
		Example: "  kiban-lab fault worker-2 off\n  kiban-lab fault controller-1 hang 'k0s backup'\n  kiban-lab fault all latency 5ms\n" +
			"  kiban-lab fault worker-1 clock -- -90s\n  kiban-lab fault --clear",
	}
	c.Flags().BoolVar(&clear, "clear", false, "undo all faults")
	c.RunE = func(c *cobra.Command, args []string) error {
		f := faultRequest{Clear: clear}
		switch {
		case clear:
			f.Machines = args
		case len(args) < 2:
			return errors.New("give a machine (or \"all\") and a kind: kiban-lab fault --help lists them")
		default:
			f.Machines, f.Kind, f.Args = args[:1], args[1], args[2:]
		}
		var n int
		if err := ask(c.Context(), *dir, "POST", "/fault", f, &n); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "%d machines\n", n)
		return nil
	}
	return c
}
