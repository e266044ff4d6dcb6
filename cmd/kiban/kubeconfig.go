package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
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
		Long: `Print the administrator's kubeconfig that a running controller has, with the site's endpoint as its server (or the first controller
where the site names no endpoint) and a context named after the site. It holds a private key: keep it as you keep one.

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
	if opts.OIDC {
		if _, err := issuerOf(site); err != nil {
			return err
		}
	}
	conn, err := a.connect(site, fleet)
	if err != nil {
		return err
	}
	raw, err := conn.Kubeconfig(ctx)
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	if raw == nil {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "no controller runs, so there is no kubeconfig",
			Hint: "kiban status " + site.Name}
	}
	write := adminKubeconfig
	if opts.OIDC {
		write = personKubeconfig
	}
	out, err := write(raw, site)
	if err != nil {
		return err
	}
	if opts.OIDC {
		a.note("This kubeconfig holds no credentials: it can be given to everyone who works with %s. They need kubectl's plugin oidc-login.", site.Name)
	} else {
		a.note("This kubeconfig is an administrator's: whoever has it can do everything in %s. It is not recorded anywhere.", site.Name)
	}
	if site.API.ViaSSH {
		a.note("The site says that its API is reached through SSH only; the address in the kubeconfig may not be reachable from here.")
	}
	_, err = a.Out.Write(out)
	return err
}

// kubeconfigFile is as much of a kubeconfig as is needed to write it anew.
type kubeconfigFile struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	CurrentContext string         `json:"current-context"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	Users          []namedUser    `json:"users"`
}

type namedCluster struct {
	Name    string         `json:"name"`
	Cluster map[string]any `json:"cluster"`
}

type namedContext struct {
	Name    string            `json:"name"`
	Context map[string]string `json:"context"`
}

type namedUser struct {
	Name string         `json:"name"`
	User map[string]any `json:"user"`
}

// adminKubeconfig points the controller's kubeconfig at the site and names everything in it after the site, so that those of several
// sites can be merged.
func adminKubeconfig(raw []byte, site lifecycle.Site) ([]byte, error) {
	f, err := siteKubeconfig(raw, site)
	if err != nil {
		return nil, err
	}
	f.as(site.Name, site.Name+"-admin", f.Users[0].User)
	return yaml.Marshal(f)
}

// siteKubeconfig reads the controller's kubeconfig and points it at the site.
func siteKubeconfig(raw []byte, site lifecycle.Site) (kubeconfigFile, error) {
	var f kubeconfigFile
	if err := yaml.Unmarshal(raw, &f); err != nil || len(f.Clusters) == 0 || len(f.Users) == 0 {
		return f, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the controller's kubeconfig is not one", Cause: err}
	}
	server, err := apiURL(site)
	if err != nil {
		return f, err
	}
	f.Clusters = []namedCluster{{Name: site.Name, Cluster: f.Clusters[0].Cluster}}
	f.Clusters[0].Cluster["server"] = server
	return f, nil
}

// as gives the kubeconfig its only user, and its only context, named after the site.
func (f *kubeconfigFile) as(site, name string, user map[string]any) {
	f.Users = []namedUser{{Name: name, User: user}}
	f.Contexts = []namedContext{{Name: site, Context: map[string]string{"cluster": site, "user": name}}}
	f.CurrentContext = site
}

func apiURL(site lifecycle.Site) (string, error) {
	if site.API.Endpoint != "" {
		return site.API.Endpoint, nil
	}
	controllers := site.Cluster.Controllers()
	if len(controllers) == 0 {
		return "", lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the site declares no controller"}
	}
	return "https://" + net.JoinHostPort(controllers[0].Address, fmt.Sprint(apiPort(controllers[0]))), nil
}

// apiPort is where a controller's API server listens: spec.api.port of its k0s.yaml, 6443 unless it says otherwise.
func apiPort(h lifecycle.Host) int {
	var config struct {
		Spec struct {
			API struct {
				Port int `json:"port"`
			} `json:"api"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(h.Config, &config); err != nil || config.Spec.API.Port == 0 {
		return 6443
	}
	return config.Spec.API.Port
}
