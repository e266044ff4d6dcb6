package readiness

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keepsZeroShares is the annotation by which an API server writes, in flowcontrol.apiserver.k8s.io/v1beta3, that no shares are meant
// (PriorityLevelPreserveZeroConcurrencySharesKey of k8s.io/api).
const keepsZeroShares = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"

// sharesAs gives a priority level's shares the name that they have in v1: before they are called name. No shares are 30 before v1, for
// there 0 is as good as nothing; v1 takes 0 as it is written, and such a level lets nothing in.
func sharesAs(name string) func(*yaml.Node) ([]edit, string) {
	return func(n *yaml.Node) ([]edit, string) {
		key, shares := fieldOf(nodeAt(n, "spec", "limited"), name)
		switch {
		case nodeAt(n, "metadata", "annotations", keepsZeroShares) != nil:
			return nil, "its annotation " + keepsZeroShares + " is of v1beta3: write spec.limited.nominalConcurrencyShares out and take it away"
		case key == nil:
			return nil, ""
		case shares.Kind != yaml.ScalarNode || isZero(shares.Value):
			return nil, "spec.limited." + name + ": 0 means 30 before, and v1 takes it as 0, which lets nothing in: write the number that is meant"
		case name == "nominalConcurrencyShares":
			return nil, ""
		}
		return []edit{{node: key, to: "nominalConcurrencyShares", path: "spec.limited." + name}}, ""
	}
}

// isZero reports whether a number is 0, in whichever way YAML lets it be written.
func isZero(number string) bool {
	n, err := strconv.ParseInt(number, 0, 64)
	f, bad := strconv.ParseFloat(number, 64)
	return err == nil && n == 0 || bad == nil && f == 0
}

// explicitWorkload: apps/v1 wants a selector and has no rollbackTo nor templateGeneration. defaults are the fields below spec of which it
// has another default than the version before; what is written out there stays.
func explicitWorkload(defaults []string) func(*yaml.Node) ([]edit, string) {
	return func(n *yaml.Node) ([]edit, string) {
		spec := childOf(n, "spec")
		switch {
		case scalar(childOf(n, "kind")) == "":
			return nil, "it does not name its kind"
		case childOf(spec, "selector") == nil:
			return nil, "apps/v1 wants spec.selector, which can't be changed later: write the one that the object in the cluster has"
		}
		for _, gone := range []string{"rollbackTo", "templateGeneration"} {
			if childOf(spec, gone) != nil {
				return nil, "it has " + gone + ", which apps/v1 does not have"
			}
		}
		recreates := scalar(nodeAt(spec, "strategy", "type")) == "Recreate"
		for _, field := range defaults {
			if recreates && strings.HasPrefix(field, "strategy.") {
				continue // it replaces all pods at once: there is nothing to roll
			}
			if nodeAt(spec, strings.Split(field, ".")...) == nil {
				return nil, "apps/v1 has another default of spec." + field + ": write it out first"
			}
		}
		return nil, ""
	}
}
