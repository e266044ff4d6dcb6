package main

import (
	"cmp"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/session"
)

// newFleet is what is asked of all sites of a fleet together.
func newFleet(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "Collect what is known of all sites, decide which may go, and apply those",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFleetCollect(a, nil), newFleetMetrics(a, nil), newFleetPage(a, nil), newFleetNext(a, nil), newFleetHolds(a, nil),
		newFleetApply(a, nil))
	return cmd
}

// addFrom gives a verb the flag that names the folder of a collect.
func addFrom(cmd *cobra.Command, from *string) {
	cmd.Flags().StringVar(from, "from", "", "the folder of the files (default: .kiban/collected of the fleet)")
}

// collectedDir is the folder that is named, or else the one beside the fleet.
func (a *app) collectedDir(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	fleet, err := a.fleetDir()
	return cmp.Or(named, filepath.Join(session.StateDir(fleet), "collected")), err
}
