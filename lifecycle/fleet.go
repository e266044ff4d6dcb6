package lifecycle

import (
	"slices"
	"strings"
)

// FleetFile is the file at a fleet's root, beside clusters/ and overlays/, that says what its owners allow all of its sites.
const FleetFile = "fleet.yaml"

// Fleet is what a fleet's owners allow beyond what every site may do: a site's own documents can't allow it. The zero Fleet allows nothing
// more.
type Fleet struct {
	// ExecPlugins are the programs that kubeconfigs of external sites may run for a login: "aws", or an absolute path. None: none may.
	ExecPlugins []string `json:"execPlugins,omitempty"`
	// SecretVariables are the environment variables that sites may take secrets from, beside those that begin with KIBAN_SECRET_.
	SecretVariables []string `json:"secretVariables,omitempty"`
	// HostFiles are places on machines that sites may put files in beside the usual ones: files, and folders that end in "/".
	HostFiles []string `json:"hostFiles,omitempty"`
	// LocalFiles are places on the machine that runs kiban which sites may take files from beside the repository: files, and folders that end
	// in "/", in full and with links followed.
	LocalFiles []string `json:"localFiles,omitempty"`
	// K0sSigningKey is the public key, in PEM, that signatures of k0s binaries are checked against. Empty: they are not checked.
	K0sSigningKey string `json:"k0sSigningKey,omitempty"`
	// SignedReviews: a reviewed plan counts only with the forge's signature of what it means.
	SignedReviews bool `json:"signedReviews,omitempty"`
	// Support are the dates of support that the fleet brings itself (SupportFile), which count more than kiban's own.
	Support []Support `json:"-"`
}

// SecretPrefix begins the names of environment variables that the secrets of every fleet may come from.
const SecretPrefix = "KIBAN_SECRET_"

// AllowsSecret reports whether a secret of a site may come from an environment variable. Never from one that kiban or its pipeline acts
// with.
func (f Fleet) AllowsSecret(variable string) bool {
	return strings.HasPrefix(variable, SecretPrefix) || slices.Contains(f.SecretVariables, variable) && !OwnVariable(variable)
}

// AllowsKubeconfig reports whether the kubeconfig of an external site may come from an environment variable: also from one whose name says
// that it is one.
func (f Fleet) AllowsKubeconfig(variable string) bool {
	return strings.HasPrefix(variable, "KUBECONFIG") || f.AllowsSecret(variable)
}

// OwnVariable reports whether an environment variable is what kiban or its pipeline acts with: never a site's secret, whoever allows it.
func OwnVariable(name string) bool {
	name = strings.ToUpper(name)
	return strings.HasPrefix(name, "KIBAN_") && !strings.HasPrefix(name, SecretPrefix) || strings.HasPrefix(name, "CI_JOB_") ||
		strings.HasPrefix(name, "GITLAB_")
}

// AllowsLocal reports whether sites may take files from a path outside of the fleet. Its links are followed.
func (f Fleet) AllowsLocal(path string) bool {
	return slices.ContainsFunc(f.LocalFiles, func(place string) bool {
		return path == place || strings.HasSuffix(place, "/") && strings.HasPrefix(path, place)
	})
}
