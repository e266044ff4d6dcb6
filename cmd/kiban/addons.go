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
	"kiban.dev/kiban/lifecycle/session"
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
	site, state, err := a.observeSite(ctx, opts.Site, session.Options{})
	if err != nil {
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
	unknown := unaskedAPI(state)
	switch {
	case opts.output.form != "text":
		return errors.Join(writeReport(a.Out, opts.output.form, report), unknown)
	case unknown != nil && len(report.Addons) == 0:
		return unknown // that there are none is not known
	}
	return errors.Join(render.AddonsText(a.Out, site.Name, report.Addons, a.outStyle()), unknown)
}

// unaskedAPI is the error of a verb that shows what is in the cluster, and could not ask it.
func unaskedAPI(state lifecycle.State) error {
	if state.API.Unknown == "" {
		return nil
	}
	return lifecycle.Errorf(state.Site, "what is in the cluster is not known: its API could not be asked").Because(state.API.Unknown).
		Try("kiban status " + state.Site)
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
