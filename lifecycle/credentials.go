package lifecycle

// Credentials are an administrator's way into a cluster's API: secrets, which stay in memory. Zero ones are none.
//
// What a site's own controller gave is made of Authority, Certificate and Key, and of nothing else: where the API is and how it is
// verified is for the site to declare. Of a cluster that someone else runs there is the Kubeconfig that its owners gave.
type Credentials struct {
	// Authority are the certificates that sign the API servers' own; Certificate and Key are the administrator's. All are PEM.
	Authority   []byte `json:"-"`
	Certificate []byte `json:"-"`
	Key         []byte `json:"-"`
	// Kubeconfig is that of an external site, as its source has it; nil for others.
	Kubeconfig []byte `json:"-"`
}

// IsZero reports whether there is no way in.
func (c Credentials) IsZero() bool {
	return len(c.Authority) == 0 && len(c.Certificate) == 0 && len(c.Key) == 0 && len(c.Kubeconfig) == 0
}

// String keeps the secrets out of whatever prints one.
func (c Credentials) String() string {
	if c.IsZero() {
		return "no credentials"
	}
	return "credentials (secret)"
}

// GoString is String, for %#v.
func (c Credentials) GoString() string { return c.String() }
