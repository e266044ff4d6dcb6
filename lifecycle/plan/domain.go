package plan

import (
	"cmp"
	"strings"
)

// unlabelled is the failure domain of nodes without the label.
const unlabelled = "(no label)"

// domain is the node's failure domain: the label's value on the node or, for one that is still to join, among its arguments.
func (m *member) domain(label string) string {
	if v := m.node.Labels[label]; v != "" {
		return v
	}
	for _, a := range m.Arguments {
		list, ok := strings.CutPrefix(a, "--labels=")
		if !ok {
			continue
		}
		for pair := range strings.SplitSeq(list, ",") {
			if v, ok := strings.CutPrefix(pair, label+"="); ok && v != "" && !m.registered {
				return v
			}
		}
	}
	return unlabelled
}

// compareDomains orders domains by name, those without a label last.
func compareDomains(a, b string) int {
	if (a == unlabelled) != (b == unlabelled) {
		if a == unlabelled {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}

// outOfService reports whether the node takes no new pods anyway: k0s stopped, not Ready, or cordoned by kiban.
func (m *member) outOfService() bool {
	return m.down || m.held || (m.registered && !m.node.Ready)
}
