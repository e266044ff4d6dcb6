package session

import (
	"context"
	"fmt"
	"net"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// Kubeconfig is an administrator's, for a site's endpoint. It is made here of certificates and a key that a running controller has: nothing
// else of what a machine says gets into it. It holds a private key.
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

func (s *Session) kubeconfig(ctx context.Context, write func(lifecycle.Credentials, lifecycle.Site) ([]byte, error)) ([]byte, error) {
	c, err := s.parts.Site.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	if c.IsZero() {
		return nil, lifecycle.Errorf(s.site.Name, "no controller runs, so there is no kubeconfig").Try("kiban status " + s.site.Name)
	}
	return write(c, s.site)
}

// kubeconfigFile is as much of a kubeconfig as kiban writes.
type kubeconfigFile struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	CurrentContext string         `json:"current-context"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	Users          []namedUser    `json:"users"`
}

type namedCluster struct {
	Name    string      `json:"name"`
	Cluster clusterPart `json:"cluster"`
}

type clusterPart struct {
	Server    string `json:"server"`
	Authority []byte `json:"certificate-authority-data"`
}

type namedContext struct {
	Name    string            `json:"name"`
	Context map[string]string `json:"context"`
}

type namedUser struct {
	Name string   `json:"name"`
	User userPart `json:"user"`
}

// userPart is either an administrator or a program that people sign on with.
type userPart struct {
	Certificate []byte    `json:"client-certificate-data,omitempty"`
	Key         []byte    `json:"client-key-data,omitempty"`
	Exec        *execPart `json:"exec,omitempty"`
}

type execPart struct {
	APIVersion         string   `json:"apiVersion"`
	Command            string   `json:"command"`
	Args               []string `json:"args"`
	InstallHint        string   `json:"installHint"`
	InteractiveMode    string   `json:"interactiveMode"`
	ProvideClusterInfo bool     `json:"provideClusterInfo"`
}

// adminKubeconfig names everything in it after the site, so that those of several sites can be merged.
func adminKubeconfig(c lifecycle.Credentials, site lifecycle.Site) ([]byte, error) {
	return writeKubeconfig(c.Authority, site, site.Name+"-admin", userPart{Certificate: c.Certificate, Key: c.Key})
}

// writeKubeconfig writes one with one user, and one context, named after the site.
func writeKubeconfig(authority []byte, site lifecycle.Site, name string, user userPart) ([]byte, error) {
	if site.Provider == lifecycle.ProviderExternal {
		return nil, lifecycle.Errorf(site.Name, "kiban makes no kubeconfig of a cluster that someone else runs").
			Because("What spec.api.kubeconfig of the Site names is one already.").
			Try("Use that, or ask the provider of the cluster for one.")
	}
	server, err := apiURL(site)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(kubeconfigFile{
		APIVersion: "v1", Kind: "Config", CurrentContext: site.Name,
		Clusters: []namedCluster{{Name: site.Name, Cluster: clusterPart{Server: server, Authority: authority}}},
		Contexts: []namedContext{{Name: site.Name, Context: map[string]string{"cluster": site.Name, "user": name}}},
		Users:    []namedUser{{Name: name, User: user}},
	})
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
