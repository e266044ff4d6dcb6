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
}

func newKubeconfig(a *app, runF func(context.Context, *kubeconfigOptions) error) *cobra.Command {
	opts := &kubeconfigOptions{app: a}
	return &cobra.Command{
		Use:   "kubeconfig SITE",
		Short: "Print an administrator's kubeconfig of a site",
		Long: `Print the administrator's kubeconfig that a running controller has, with the site's endpoint as its server (or the first controller
where the site names no endpoint) and a context named after the site. It holds a private key: keep it as you keep one.`,
		Example:           "  kiban kubeconfig tokyo-prod > ~/.kube/tokyo-prod\n  kubectl --kubeconfig ~/.kube/tokyo-prod get nodes",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return kubeconfigRun(cmd.Context(), opts)
		},
	}
}

func kubeconfigRun(ctx context.Context, opts *kubeconfigOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
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
	out, err := adminKubeconfig(raw, site)
	if err != nil {
		return err
	}
	a.note("This kubeconfig is an administrator's: whoever has it can do everything in %s. It is not recorded anywhere.", site.Name)
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
	var f kubeconfigFile
	if err := yaml.Unmarshal(raw, &f); err != nil || len(f.Clusters) == 0 || len(f.Users) == 0 {
		return nil, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the controller's kubeconfig is not one", Cause: err}
	}
	server, err := apiURL(site)
	if err != nil {
		return nil, err
	}
	user := site.Name + "-admin"
	f.Clusters = []namedCluster{{Name: site.Name, Cluster: f.Clusters[0].Cluster}}
	f.Clusters[0].Cluster["server"] = server
	f.Users = []namedUser{{Name: user, User: f.Users[0].User}}
	f.Contexts = []namedContext{{Name: site.Name, Context: map[string]string{"cluster": site.Name, "user": user}}}
	f.CurrentContext = site.Name
	return yaml.Marshal(f)
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
