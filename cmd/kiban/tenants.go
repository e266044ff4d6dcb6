package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type tenantsOptions struct {
	app    *app
	output output
	Site   string
}

func newTenants(a *app, runF func(context.Context, *tenantsOptions) error) *cobra.Command {
	opts := &tenantsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "tenants SITE",
		Short: "List a site's tenants and what they use of their quotas",
		Long: `List a site's tenants: each of their namespaces, and what is used there of each resource that its quota limits. Tenants that have
left the repository are listed as long as their namespaces are there. Nothing is changed.`,
		Example:           "  kiban tenants tokyo-prod\n  kiban tenants tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, tenantsRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

// tenantsReport is the machine-readable form.
type tenantsReport struct {
	Site string `json:"site"`
	// Namespaces are those of declared tenants, then of those that have left the repository.
	Namespaces []lifecycle.TenantUse `json:"namespaces"`
}

func tenantsRun(ctx context.Context, opts *tenantsOptions) error {
	a := opts.app
	var uses []lifecycle.TenantUse
	site, err := a.withSite(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
		uses, err = s.TenantUse(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if opts.output.form != "text" {
		return writeReport(a.Out, opts.output.form, tenantsReport{Site: site.Name, Namespaces: append([]lifecycle.TenantUse{}, uses...)})
	}
	return render.TenantsText(a.Out, site.Name, uses, a.outStyle())
}
