package kube

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"kiban.dev/kiban/lifecycle"
)

// externalConfig reads one context of an external site's kubeconfig; "" is the current one. A kubeconfig can start programs and read files
// of whoever uses it: this one may start those in plugins, and read none.
func externalConfig(kubeconfig []byte, name string, plugins []string) (*rest.Config, error) {
	raw, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, err
	}
	if name != "" && raw.Contexts[name] == nil {
		return nil, lifecycle.Errorf(name, "the kubeconfig has no such context").
			Because("it has: " + strings.Join(slices.Sorted(maps.Keys(raw.Contexts)), ", ")).
			Try("Name one of them in the site's spec.api.context")
	}
	if name == "" {
		name = raw.CurrentContext
	}
	if c := raw.Contexts[name]; c != nil {
		if err := selfContained(raw.Clusters[c.Cluster], raw.AuthInfos[c.AuthInfo]); err != nil {
			return nil, err
		}
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	return cfg, restrict(cfg, plugins)
}

// selfContained refuses what makes the client read files of this machine, or run what it has not got.
func selfContained(cluster *api.Cluster, user *api.AuthInfo) error {
	if cluster == nil || user == nil {
		return nil // the client library says so
	}
	for _, f := range []struct{ field, file, instead string }{
		{"certificate-authority", cluster.CertificateAuthority, "certificate-authority-data"},
		{"client-certificate", user.ClientCertificate, "client-certificate-data"},
		{"client-key", user.ClientKey, "client-key-data"},
		{"tokenFile", user.TokenFile, "token"},
	} {
		if f.file != "" {
			return lifecycle.Errorf("spec.api.kubeconfig", "the kubeconfig reads a file: %s is %s", f.field, f.file).
				Because("What it needs must be in it: whoever can write it would have kiban read any file here, and send it to a server.").
				Try(fmt.Sprintf("Write %s in its place; `kubectl config view --minify --flatten` does so for certificates and keys.", f.instead))
		}
	}
	if user.AuthProvider != nil {
		return lifecycle.Errorf("spec.api.kubeconfig", "the kubeconfig signs on by auth-provider %s", user.AuthProvider.Name).
			Because("Kubernetes' client no longer has it.").
			Try("Ask the provider of the cluster for a kubeconfig with a token, a certificate or an exec plugin.")
	}
	return nil
}

// restrict lets a kubeconfig's exec plugin run where the fleet's owners name it.
func restrict(cfg *rest.Config, plugins []string) error {
	e := cfg.ExecProvider
	if e == nil {
		return nil
	}
	if !slices.ContainsFunc(plugins, func(p string) bool { return sameProgram(p, e.Command) }) {
		return lifecycle.Errorf("spec.api.kubeconfig", "the kubeconfig runs a program that the fleet does not allow: %s", e.Command).
			Because("It would run here for every request's login, as whoever runs kiban. Only the fleet's owners say which may.").
			Try(fmt.Sprintf("If it is right, name it in %s at the fleet's root, under spec: `execPlugins: [%s]`.", lifecycle.FleetFile, e.Command))
	}
	e.PluginPolicy = api.PluginPolicy{PolicyType: api.PluginPolicyAllowlist} // the library looks again at what it starts
	for _, p := range plugins {
		e.PluginPolicy.Allowlist = append(e.PluginPolicy.Allowlist, api.AllowlistEntry{Command: p})
	}
	return nil
}

// sameProgram reports whether a command leads to an allowed program: by the same word, or to the same file.
func sameProgram(allowed, command string) bool {
	if allowed == command {
		return true
	}
	a, errA := exec.LookPath(allowed)
	b, errB := exec.LookPath(command)
	return errA == nil && errB == nil && a == b
}
