package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newCalendar(a *app) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "calendar [SITE...]",
		Short: "Say by when the first merge request must be open, for sites to be off a version before its support ends",
		Long: `Reckon backwards from the end of support: how long versions must be out, reviews, the soak of sites that go before, windows, and how long
an upgrade takes. What is assumed is said. No machine is asked. Without names it is every site; -o ics is for calendar programs.`,
		Example:           "  kiban calendar\n  kiban calendar tokyo-prod -o json\n  kiban calendar -o ics >fleet.ics",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			fleet, err := a.fleetDir()
			if err = errors.Join(out.validate(cmd), err); err != nil {
				return err
			}
			return a.source().WriteCalendar(cmd.Context(), a.Out, fleet, args, out.form)
		},
	}
	addOutput(cmd, &out, "text", "json", "ics", "html")
	cmd.Flags().Bool("all", false, "every site, as without names")
	return cmd
}
