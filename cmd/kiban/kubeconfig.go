package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/session"
)

type kubeconfigOptions struct {
	app  *app
	Site string
	OIDC bool
	// Out is the file that takes it, "" for stdout; Merge puts it into the file that kubectl reads.
	Out   string
	Merge bool
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
		Example: "  kiban kubeconfig tokyo-prod --merge\n  kubectl --context tokyo-prod get nodes\n" +
			"  kiban kubeconfig tokyo-prod --out ~/.kube/tokyo-prod\n" +
			"  kiban kubeconfig tokyo-prod --oidc > tokyo-prod.kubeconfig",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, kubeconfigRun),
	}
	c.Flags().BoolVar(&opts.OIDC, "oidc", false, "one without credentials, for people who sign on")
	c.Flags().StringVar(&opts.Out, "out", "", "put it into this file, which nobody else may read")
	c.Flags().BoolVar(&opts.Merge, "merge", false,
		"put it beside the clusters in the file that kubectl reads ($KUBECONFIG, ~/.kube/config), or in that of --out")
	return c
}

func kubeconfigRun(ctx context.Context, opts *kubeconfigOptions) error {
	a := opts.app
	var out []byte
	site, err := a.withSite(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
		ask := s.Kubeconfig
		if opts.OIDC {
			ask = s.PersonKubeconfig
		}
		out, err = ask(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if opts.OIDC {
		a.note("This kubeconfig holds no credentials: it can be given to everyone who works with %s. They need kubectl's plugin oidc-login.",
			site.Name)
	} else {
		keep := "Keep it out of the repository."
		if opts.Out == "" && !opts.Merge {
			keep += " --out FILE makes one that only you may read."
		}
		a.note("This kubeconfig is an administrator's: whoever has it can do everything in %s. %s", site.Name, keep)
	}
	if site.API.ViaSSH {
		a.note("The site says that its API is reached through SSH only; the address in the kubeconfig may not be reachable from here.")
	}
	if opts.Out == "" && !opts.Merge {
		_, err = a.Out.Write(out)
		return err
	}
	return a.keepKubeconfig(opts, out)
}

// keepKubeconfig puts a kubeconfig into a file that nobody else may read.
func (a *app) keepKubeconfig(opts *kubeconfigOptions, content []byte) error {
	file := opts.Out
	if file == "" {
		if file = filepath.SplitList(a.Getenv("KUBECONFIG") + string(filepath.ListSeparator))[0]; file == "" {
			file = filepath.Join(a.Getenv("HOME"), ".kube", "config")
		}
	}
	if err := session.KeepKubeconfig(file, content, opts.Site, opts.Merge); err != nil {
		return err
	}
	return a.result(fmt.Sprintf("%s has the context %s: kubectl --kubeconfig %s --context %s get nodes", file, opts.Site, file, opts.Site))
}
