package twin

import (
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// ending reports whether an object is being deleted.
func (o Object) ending() bool { return lookupPath(o, "metadata.deletionTimestamp") != nil }

// endingNamespaces counts what is left out of the namespaces that are being deleted, by their names. An API takes nothing new into one,
// and at the site it goes away by itself.
type endingNamespaces map[string]int

func endingOf(objects []Object) endingNamespaces {
	out := endingNamespaces{}
	for _, o := range objects {
		if o.kind() == "Namespace" && o.group() == "" && o.ending() {
			out[o.name()] = 0
		}
	}
	return out
}

// has reports whether an object goes with its namespace.
func (e endingNamespaces) has(o Object) bool {
	_, ends := e[o.namespace()]
	return ends
}

func (e endingNamespaces) differences() []lifecycle.TwinDifference {
	var out []lifecycle.TwinDifference
	for _, name := range slices.Sorted(maps.Keys(e)) {
		objects := lifecycle.Count(e[name], "object") + " are"
		if e[name] == 1 {
			objects = "1 object is"
		}
		out = append(out, lifecycle.TwinDifference{What: fmt.Sprintf("Namespace %s is being deleted; its %s left out", name, objects),
			Consequence: "What goes away with it is not rehearsed."})
	}
	return out
}
