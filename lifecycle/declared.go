package lifecycle

import "encoding/json"

// DeclaredChange is one thing that two declarations of a site do not agree in, in the words of its documents.
type DeclaredChange struct {
	// Subject is what changes: "site", "k0s", "config", "cluster", "host worker-3", "addon metallb", "tenant shop",
	// "object ConfigMap shop/settings", "kiban.lock".
	Subject string `json:"subject"`
	// Path is where in it, as DiffFields has it: "spec.network.podCIDR", "chart.values.speaker.enabled". "" is all of it: it comes, or it
	// goes.
	Path string             `json:"path,omitempty"`
	Kind DeclaredChangeKind `json:"kind"`
	// From and To are JSON, secrets masked; "" is not there. Of what comes or goes as a whole they say in words what it is.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Note says what follows from it, where that is more than the values say: the hops of an upgrade.
	Note string `json:"note,omitempty"`
}

// DeclaredChangeKind says how it changes.
type DeclaredChangeKind string

const (
	DeclaredAdded   DeclaredChangeKind = "added"
	DeclaredRemoved DeclaredChangeKind = "removed"
	DeclaredChanged DeclaredChangeKind = "changed"
)

// MarshalJSON writes From and To as the values that they are, and not as JSON within JSON; words stay words.
func (c DeclaredChange) MarshalJSON() ([]byte, error) {
	type plain DeclaredChange
	return json.Marshal(struct {
		plain
		From any `json:"from,omitempty"`
		To   any `json:"to,omitempty"`
	}{plain(c), asValue(c.From), asValue(c.To)})
}

// asValue is a text as the JSON that it holds, else as the text; nil when there is none.
func asValue(text string) any {
	switch {
	case text == "":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	return text
}
