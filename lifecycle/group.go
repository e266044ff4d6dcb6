package lifecycle

// Membership is of which of the fleet's groups a site is: by its labels, and by what its overlay lists.
type Membership struct {
	Site string `json:"site"`
	// Groups are those that it belongs to. Of these it does not list Missing; of the others it lists Excess.
	Groups  []string `json:"groups"`
	Missing []string `json:"missing,omitempty"`
	Excess  []string `json:"excess,omitempty"`
}

// Right reports whether the overlay lists what the site belongs to, and nothing else.
func (m Membership) Right() bool { return len(m.Missing)+len(m.Excess) == 0 }
