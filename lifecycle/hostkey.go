package lifecycle

// KeyStanding is how a machine's SSH host key stands to what known_hosts says of the machine.
type KeyStanding string

const (
	KeyNew     KeyStanding = "new"     // nothing is known of the machine
	KeyKnown   KeyStanding = "known"   // it is the known one
	KeyChanged KeyStanding = "changed" // another one is known: the machine was set up anew, or another one answers in its place
	KeyRevoked KeyStanding = "revoked" // it is marked @revoked, and never to be trusted
)

// HostKey is an SSH host key that a machine showed.
type HostKey struct {
	// Host is the machine's name, or the first machine that is reached through it where it is a bastion.
	Host string `json:"host"`
	// Address is "address:port".
	Address string `json:"address"`
	Type    string `json:"type"`
	// Fingerprint is "SHA256:<base64>", as ssh-keygen -l prints it.
	Fingerprint string      `json:"fingerprint"`
	Standing    KeyStanding `json:"standing"`
	// Former are the fingerprints known until now, where the key has changed.
	Former []string `json:"former,omitempty"`
	// Line is the key's line for known_hosts, without the end of line.
	Line string `json:"line"`
}

// HostKeys are the keys that a site's machines showed.
type HostKeys struct {
	// Keys are in the order of the site's hosts. A kind of key that is not known of a machine with another known one is left out.
	Keys []HostKey `json:"keys"`
	// Failed are the machines whose keys could not be learned.
	Failed []HostKeyFailure `json:"failed,omitempty"`
}

// HostKeyFailure says why a machine's keys are not known.
type HostKeyFailure struct {
	Host    string `json:"host"`
	Address string `json:"address"`
	Why     string `json:"why"`
}
