package lifecycle

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
	// K0sSigningKey is the public key, in PEM, that signatures of k0s binaries are checked against. Empty: they are not checked.
	K0sSigningKey string `json:"k0sSigningKey,omitempty"`
	// SignedReviews: a reviewed plan counts only with the forge's signature of what it means.
	SignedReviews bool `json:"signedReviews,omitempty"`
}
