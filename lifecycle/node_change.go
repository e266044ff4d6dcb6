package lifecycle

import "strings"

// NodeChange is what ActionLabel changes on a node, of what its k0s would only be told when it registers.
type NodeChange struct {
	// Labels are set; Unlabel are keys that are taken away.
	Labels  map[string]string `json:"labels,omitempty"`
	Unlabel []string          `json:"unlabel,omitempty"`
	// Taints are put on the node, Untaint taken off: "key=value:NoSchedule".
	Taints  []string `json:"taints,omitempty"`
	Untaint []string `json:"untaint,omitempty"`
}

// IsZero reports whether it changes nothing.
func (c NodeChange) IsZero() bool {
	return len(c.Labels) == 0 && len(c.Unlabel) == 0 && len(c.Taints) == 0 && len(c.Untaint) == 0
}

// ParseTaint reads "key=value:Effect", "key:Effect".
func ParseTaint(taint string) (key, value, effect string) {
	key, effect, _ = strings.Cut(taint, ":")
	key, value, _ = strings.Cut(key, "=")
	return key, value, effect
}
