// Package explain holds what kiban's words mean to people: the words themselves, actions, gates, exit codes, hazards, and every field of
// the documents. words.txt and fields.txt are written by hand; scripts/explain joins them with the code into explain.json, and into the
// reference of docs/site.md.
package explain

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

//go:embed explain.json
var data []byte

// Topic is one thing that can be explained.
type Topic struct {
	// Name is what it is asked for by; Also are other names that people use for it. Kind groups topics: word, action, gate, field.
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	Also []string `json:"also,omitempty"`
	// Type, Default and Example are those of a field.
	Type    string `json:"type,omitempty"`
	Default string `json:"default,omitempty"`
	Example string `json:"example,omitempty"`
	Text    string `json:"text"`
	// Fields are what a word is made of in JSON.
	Fields []Topic `json:"fields,omitempty"`
}

// heading is a kind of topic as a list shows it.
type heading struct{ kind, title string }

func headings() []heading {
	return []heading{
		{"word", "Words"}, {"action", "Actions: what a step does"}, {"gate", "Gates: what must hold before and after a step"},
		{"exit", "Exit codes"}, {"result", "How a run can end"}, {"severity", "How bad a finding is"},
		{"problem", "Problems of a machine"}, {"service", "States of the k0s service"}, {"health", "Health of an addon or an object"},
		{"change", "Changes of an object"}, {"event", "Events: what a run tells"},
		{"hazard", "Hazards: what can go wrong when a cluster in service is changed"},
		{"field", "Fields of the Site, Addon, Tenant and Fleet documents"},
	}
}

// Topics are all there are.
func Topics() ([]Topic, error) {
	var all []Topic
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("explain.json: %w", err)
	}
	return all, nil
}

// Names are what can be asked for, for completion.
func Names() []string {
	all, err := Topics()
	if err != nil {
		return nil
	}
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	return append(names, pages()...)
}

// Text explains a topic in lines of at most width columns; "" lists what there is to explain. A topic that nobody knows is an error that
// says which ones are called alike, of these and of others, which somebody else explains.
func Text(topic string, width int, others ...string) (string, error) {
	all, err := Topics()
	if err != nil {
		return "", err
	}
	p := page{all: all, width: max(width, 40)}
	if strings.HasPrefix(topic, docsFolder) {
		return docsPage(topic, p.width)
	}
	if topic == "" {
		p.contents()
		return p.String(), nil
	}
	p.about(topic)
	if p.Len() == 0 {
		for _, name := range others {
			all = append(all, Topic{Name: name})
		}
		return "", unknown(all, topic)
	}
	return strings.TrimRight(p.String(), "\n") + "\n", nil
}

// is reports whether a topic is called so. People write "etcd quorum" for etcd-quorum, and "windows" for window.
func (t Topic) is(name string) bool {
	for _, known := range append([]string{t.Name}, t.Also...) {
		if plain(known) == plain(name) || plain(known)+"s" == plain(name) {
			return true
		}
	}
	return false
}

func plain(name string) string {
	return strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(name))
}

// ofKind gives the topics of a kind, fields only as deep as said.
func ofKind(all []Topic, kind string, depth int) []Topic {
	return slices.DeleteFunc(slices.Clone(all), func(t Topic) bool { return t.Kind != kind || strings.Count(t.Name, ".") > depth })
}

func children(all []Topic, name string) []Topic {
	return slices.DeleteFunc(slices.Clone(all), func(t Topic) bool {
		rest, below := strings.CutPrefix(t.Name, name+".")
		return !below || strings.Contains(rest, ".")
	})
}

// unknown says that there is no such topic, and which are called alike.
func unknown(all []Topic, topic string) error {
	d := lifecycle.Errorf("", "kiban has no word %q", topic)
	if alike := alike(all, topic); len(alike) > 0 {
		return d.Because("Did you mean: " + strings.Join(alike, ", ") + "?").Try("kiban explain " + alike[0])
	}
	return d.Try("kiban explain")
}

// most is how many names are suggested.
const most = 5

// alike are the topics whose name is a slip of the finger away, ends like a field that was asked for, or has the word within it; the
// nearest first.
func alike(all []Topic, topic string) []string {
	type near struct {
		name string
		far  int
	}
	var found []near
	want := plain(topic)
	for _, t := range all {
		far := -1
		for _, name := range append([]string{t.Name}, t.Also...) {
			name = plain(name)
			switch d := distance(want, name); {
			case d <= 1+len(want)/4 && d < len(want): // as many slips as the word is long for
				far = d
			case far < 0 && len(want) > 2 && strings.HasSuffix(name, "."+want):
				far = 3
			case far < 0 && len(want) > 3 && strings.Contains(name, want):
				far = 4 + strings.Count(name, ".")
			}
		}
		if far >= 0 && !slices.ContainsFunc(found, func(n near) bool { return n.name == t.Name }) {
			found = append(found, near{t.Name, far})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.far - b.far })
	var names []string
	for _, n := range found[:min(len(found), most)] {
		names = append(names, n.name)
	}
	return names
}

// distance is how many letters have to be put in, taken out, changed or swapped with their neighbour to make b of a.
func distance(a, b string) int {
	row := func() []int { return make([]int, len(b)+1) }
	before, above, here := row(), row(), row()
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		here[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			here[j] = min(change, above[j]+1, here[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				here[j] = min(here[j], before[j-2]+1)
			}
		}
		before, above, here = above, here, before
	}
	return above[len(b)]
}

// Nearest is the name that is a slip of the finger or two away from a word; "" when none is.
func Nearest(word string, names []string) string {
	best, far := "", 3
	for _, name := range names {
		if d := distance(word, name); d < far && d < len(word) {
			best, far = name, d
		}
	}
	return best
}
