package lifecycle

// Backup is a backup of a control plane that was found whole.
type Backup struct {
	// Name is its file's, for people. Site and Version are what the name says; empty when it is called otherwise.
	Name    string
	Site    string
	Version Version
	// Digest is "sha256:<hex>" of the archive as k0s wrote it.
	Digest string
}
