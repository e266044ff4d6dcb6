package session

import (
	"context"
	"fmt"
	"net"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// Kubeconfig is the administrator's, as a running controller has it, with the site's endpoint as its server. It holds a private key.
func (s *Session) Kubeconfig(ctx context.Context) ([]byte, error) {
	return s.kubeconfig(ctx, adminKubeconfig)
}

// PersonKubeconfig is a kubeconfig without anyone's credentials: who uses it signs on with the issuer that the site's API servers trust.
func (s *Session) PersonKubeconfig(ctx context.Context) ([]byte, error) {
	if _, err := issuerOf(s.site); err != nil {
		return nil, err
	}
	return s.kubeconfig(ctx, personKubeconfig)
}

func (s *Session) kubeconfig(ctx context.Context, write func(raw []byte, site lifecycle.Site) ([]byte, error)) ([]byte, error) {
	raw, err := s.parts.Site.Kubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, lifecycle.Errorf(s.site.Name, "no controller runs, so there is no kubeconfig").Try("kiban status " + s.site.Name)
	}
	return write(raw, s.site)
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
		return f, lifecycle.Errorf(site.Name, "the controller's kubeconfig is not one").Hiding(err)
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
		return "", lifecycle.Errorf(site.Name, "the site declares no controller")
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
