package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
)

func newCalendar(a *app) *cobra.Command {
	var out output
	var ask, all bool
	var selected selection
	cmd := &cobra.Command{
		Use:   "calendar [SITE...]",
		Short: "Say by when the first merge request must be open, for sites to be off a version before its support ends",
		Long: `Reckon backwards from the end of support: how long versions must be out, reviews, the soak of sites that go before, windows, and how long
an upgrade takes. What is assumed is said. No machine is asked, but with --ask clusters are, for how long their upgrades took.
Without names it is every site; -o ics is for calendar programs.`,
		Example:           "  kiban calendar\n  kiban calendar tokyo-prod --ask -o json\n  kiban calendar -o ics >fleet.ics",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			fleet, err := a.fleetDir()
			if all && len(args) > 0 {
				err = usage(cmd, "either names of sites or --all, not both")
			}
			if err = errors.Join(out.validate(cmd), err); err != nil {
				return err
			}
			names, err := a.namedOr(cmd, args, &selected, wholeFleet)
			if err != nil {
				return err
			}
			var runs fleets.Runs
			if ask {
				runs = a.clusterRuns
			}
			var text strings.Builder
			unasked, err := a.source().WriteCalendar(cmd.Context(), &text, fleet, names, runs, out.form)
			a.findings(unasked)
			style := a.outStyle()
			if out.form != "text" {
				style = style.Within(0)
			}
			return errors.Join(err, render.Folded(a.Out, text.String(), style))
		},
	}
	addOutput(cmd, &out, "text", "json", "ics", "html")
	selected.flag(cmd)
	cmd.Flags().BoolVar(&ask, "ask", false, "ask clusters for the record of their runs")
	cmd.Flags().BoolVar(&all, "all", false, "every site, as without names")
	return cmd
}
