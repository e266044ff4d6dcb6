package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/promotion"
)

type ciGateOptions struct {
	app  *app
	Site string
	// Soak is a folder with what `ci soak SITE -o json` printed of the sites that are waited for; "" asks them.
	Soak string
	// Result is the file that takes the Outcome of a gate that is not passed; "" writes none.
	Result string
}

func newCIGate(a *app, runF func(context.Context, *ciGateOptions) error) *cobra.Command {
	opts := &ciGateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "gate SITE",
		Short: "Say whether a site may take the versions that its plan brings",
		Long: `Make a site's plan, and hold each version of k0s and of a chart that it brings against the sites that must have run it first
(spec.promotion of the Site): healthy, for the whole soak time. Nothing is changed.

It exits with 0 when they have, or when the plan brings nothing of the kind; with 3 when they have not, and says which version, which
site, how long of how long, and when at the earliest. A version that the site itself has run before may come back without waiting, and one
that it has begun to take may be finished.

With --soak, SITE.json in that folder tells of a site, as "kiban ci soak SITE -o json" printed it within a day. A site without such a file
is asked. With --result, a gate that is not passed leaves a file that "kiban ci tell SITE ended" tells of.`,
		Example:           "  kiban ci gate tokyo-prod\n  kiban ci gate tokyo-prod --soak soak",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, ciGateVerb),
	}
	cmd.Flags().StringVar(&opts.Soak, "soak", "", "a folder that tells of the sites that are waited for")
	cmd.Flags().StringVar(&opts.Result, "result", "", "put why the gate is not passed into this file, as JSON; one that is passed leaves none")
	return cmd
}

// ciGateVerb leaves a result when the gate is not passed. Of one that is passed, whoever goes on tells.
func ciGateVerb(ctx context.Context, opts *ciGateOptions) error {
	err := opts.app.withResult(ctx, opts.Result, opts.Site, func(*lifecycle.Outcome) error { return ciGateRun(ctx, opts) })
	if err != nil || opts.Result == "" {
		return err
	}
	return os.Remove(opts.Result)
}

func ciGateRun(ctx context.Context, opts *ciGateOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	if len(site.Promotion.From) == 0 {
		return a.result(site.Name + " waits for no other site.")
	}
	brought, own, err := a.brought(ctx, site, fleet)
	if err != nil {
		return err
	}
	if len(brought) == 0 {
		return a.result(fmt.Sprintf("The plan of %s brings no other version of k0s or of a chart: nothing has to be waited for.", site.Name))
	}
	soaks := map[string]lifecycle.Soak{site.Name: own}
	var filed []string
	if slices.ContainsFunc(brought, func(v lifecycle.SoakVersion) bool { return !promotion.Had(own, v) }) {
		if filed, err = a.evidence(ctx, opts.Soak, site.Promotion.From, soaks); err != nil {
			return err
		}
	}
	promoted := promotion.Judge(site.Promotion, site.Name, brought, soaks, time.Now())
	for _, p := range promoted {
		if err := a.result(fmt.Sprintf("%s: %s", promotion.Word(p.State), p.Reason)); err != nil {
			return err
		}
	}
	return promotion.Findings(site, promoted, filed).Err()
}

// brought are the versions that a site's plan brings, or may bring where the site could not be seen; and how long it has run its own.
func (a *app) brought(ctx context.Context, site lifecycle.Site, fleet string) (versions []lifecycle.SoakVersion, own lifecycle.Soak,
	err error) {
	s, err := a.open(site, fleet)
	if err != nil {
		return nil, own, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.note("Looking at %s.", site.Name)
	return s.Brings(ctx)
}

// evidence finds out how the sites stand that are waited for: by their files in the folder, or by asking them. One that can't be asked is
// not known, which is no error: the verdict says so. filed are those of which a file told.
func (a *app) evidence(ctx context.Context, dir string, from []string, soaks map[string]lifecycle.Soak) (filed []string, err error) {
	for _, name := range from {
		soak, err := forge.ReadSoak(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			a.note("Looking at %s, which must have run it first.", name)
			if soak, err = a.soakOf(ctx, name, ciSoakOptions{}); ctx.Err() != nil {
				return nil, err
			}
			if err != nil {
				a.findings(lifecycle.AsDiagnostics(err, name+" could not be looked at"))
				continue
			}
		case err != nil:
			return nil, lifecycle.Errorf(filepath.Join(dir, name+".json"), "how long %s has run its versions can't be read", name).From(err).
				Try("Retry the job soak:" + name + ".")
		default:
			filed = append(filed, name)
		}
		soaks[name] = soak
	}
	return filed, nil
}
