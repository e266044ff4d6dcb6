package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

type kubeconfigOptions struct {
	app  *app
	Site string
	OIDC bool
}

func newKubeconfig(a *app, runF func(context.Context, *kubeconfigOptions) error) *cobra.Command {
	opts := &kubeconfigOptions{app: a}
	c := &cobra.Command{
		Use:   "kubeconfig SITE",
		Short: "Print a kubeconfig of a site",
		Long: `Print an administrator's kubeconfig, with the site's endpoint as its server (or the first controller where the site names no
endpoint) and a context named after the site. It is made of the certificates and the key that a running controller has, and of nothing
else that a machine says. It holds a private key: keep it as you keep one.

With --oidc, print one for people: it holds nobody's credentials. Who uses it signs on with the issuer that the site's API servers
trust, by kubectl's plugin oidc-login, and may do what the groups there give.`,
		Example: "  kiban kubeconfig tokyo-prod > ~/.kube/tokyo-prod\n  kubectl --kubeconfig ~/.kube/tokyo-prod get nodes\n" +
			"  kiban kubeconfig tokyo-prod --oidc > tokyo-prod.kubeconfig",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, kubeconfigRun),
	}
	c.Flags().BoolVar(&opts.OIDC, "oidc", false, "one without credentials, for people who sign on")
	return c
}

func kubeconfigRun(ctx context.Context, opts *kubeconfigOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return err
	}
	ask := s.Kubeconfig
	if opts.OIDC {
		ask = s.PersonKubeconfig
	}
	out, err := ask(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if opts.OIDC {
		a.note("This kubeconfig holds no credentials: it can be given to everyone who works with %s. They need kubectl's plugin oidc-login.",
			site.Name)
	} else {
		a.note("This kubeconfig is an administrator's: whoever has it can do everything in %s. It is not recorded anywhere.", site.Name)
	}
	if site.API.ViaSSH {
		a.note("The site says that its API is reached through SSH only; the address in the kubeconfig may not be reachable from here.")
	}
	_, err = a.Out.Write(out)
	return err
}
