package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

type addonsOptions struct {
	app    *app
	output output
	Site   string
}

func newAddons(a *app, runF func(context.Context, *addonsOptions) error) *cobra.Command {
	opts := &addonsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "addons SITE",
		Short: "List a site's addons: declared and installed versions, health",
		Long: `List a site's addons: the version that is declared beside the one that the cluster has, the release's revision, how it is, and
what an operator should know: that someone changed an object by hand, that an upgrade was cut off. Addons that have left the repository
and are still in the cluster are listed too. Nothing is changed; "kiban plan" shows what would change, object by object.`,
		Example:           "  kiban addons tokyo-prod\n  kiban addons tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, addonsRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

// addonsReport is the machine-readable form.
type addonsReport struct {
	Site   string                `json:"site"`
	Addons []lifecycle.UnitState `json:"addons"`
}

func addonsRun(ctx context.Context, opts *addonsOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return err
	}
	state, err := s.Observe(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if d, other := site.OtherCluster(state.API.ClusterUID, state.API.Site); other {
		return d
	}
	report := addonsReport{Site: site.Name, Addons: []lifecycle.UnitState{}}
	for _, u := range state.Units {
		if strings.HasPrefix(u.Name, lifecycle.UnitAddon) {
			report.Addons = append(report.Addons, u)
		}
	}
	if opts.output.form != "text" {
		return writeReport(a.Out, opts.output.form, report)
	}
	return render.AddonsText(a.Out, site.Name, report.Addons)
}

// writeReport writes a verb's machine-readable form, json or yaml.
func writeReport(w io.Writer, form string, report any) error {
	if form == "json" {
		return writeJSON(w, report)
	}
	b, err := yaml.Marshal(report)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}
