package lifecycle

import "slices"

// Repels says why a node takes no pods of another; "" if it does. What is on the other tolerates that one's own taints.
func (n NodeState) Repels(other NodeState) string {
	switch {
	case n.Unschedulable && n.Mark.Maintenance():
		return "is in maintenance (" + n.Mark.Reason + ")"
	case n.Unschedulable:
		return "is cordoned by an administrator"
	}
	for _, taint := range n.Taints {
		if !slices.Contains(other.Taints, taint) {
			return "has the taint " + taint
		}
	}
	return ""
}
