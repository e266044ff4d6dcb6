package lifecycle

// HostFile is a file that a host is to have.
type HostFile struct {
	// Path is where it lies on the host.
	Path string `json:"path"`
	// Content is what it is to hold; it may be secret. Nil with an empty Digest: it could not be read here (see Missing).
	Content []byte `json:"-"`
	// Digest is "sha256:<hex>" of Content.
	Digest string `json:"digest,omitempty"`
	// Missing says why the content is not known here, such as an environment variable that is not set: then it is not compared.
	Missing string `json:"missing,omitempty"`
	// Mode is octal, "0640"; Owner and Group are names. Empty: as the host has it.
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`
	Group string `json:"group,omitempty"`
	// Secret says that the content must not be shown.
	Secret bool `json:"secret,omitempty"`
	// Restart says that k0s reads the file when it starts, so that a change of it needs a restart.
	Restart bool   `json:"restart,omitempty"`
	Source  string `json:"source,omitempty"`
}

// FileState is a declared file as the host has it.
type FileState struct {
	Path string `json:"path"`
	// Digest is "sha256:<hex>" of its content; "" when it is not there.
	Digest string `json:"digest,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Group  string `json:"group,omitempty"`
}
