package overlay

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"sync"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads every document of a file as nodes, which know their lines. Empty documents are left out. Documents that their aliases
// make too large are an error: nothing is to be done with them.
func ParseYAML(b []byte) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	for dec := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			_, _, err := weigh(docs)
			return docs, err
		}
		if err != nil {
			return docs, err
		}
		if len(n.Content) == 1 && n.Content[0].Tag != "!!null" {
			docs = append(docs, n.Content[0])
		}
	}
}

// maxParsed is how many bytes of text the kept documents may have in all, and maxKept how many each: a fleet's bases and components have
// some 200 KiB.
const (
	maxParsed = 8 << 20
	maxKept   = 1 << 20
)

// parsedFiles are documents by their text.
type parsedFiles struct {
	mu    sync.Mutex
	docs  map[string][]*yaml.Node
	bytes int
}

// parse is ParseYAML, for text that others have too. What it gives is not to be changed.
func (p *parsedFiles) parse(b []byte) ([]*yaml.Node, error) {
	p.mu.Lock()
	docs, ok := p.docs[string(b)]
	p.mu.Unlock()
	if ok {
		return docs, nil
	}
	docs, err := ParseYAML(b)
	if err != nil || len(b) > maxKept {
		return docs, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.docs == nil || p.bytes+len(b) > maxParsed {
		p.docs, p.bytes = map[string][]*yaml.Node{}, 0
	}
	p.docs[string(b)] = docs
	p.bytes += len(b)
	return docs, nil
}

var yamlErrorLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// YAMLErrorAt splits a YAML error into its line (0 when it names none) and what is wrong.
func YAMLErrorAt(text string) (line int, what string) {
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // the form admits digits only
		return n, m[2]
	}
	return 0, text
}

// Resolve follows an alias to its anchor. Aliases of aliases do not exist in YAML.
func Resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Lookup finds a key in a mapping: the key's node and the value's, or nils.
func Lookup(m *yaml.Node, key string) (k, v *yaml.Node) {
	if m = Resolve(m); m == nil || m.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i], Resolve(m.Content[i+1])
		}
	}
	return nil, nil
}

// Field follows keys through mappings; nil when one is missing.
func Field(n *yaml.Node, keys ...string) *yaml.Node {
	for _, k := range keys {
		_, n = Lookup(n, k)
	}
	return n
}

// Text is a scalar's value, or "".
func Text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// Items are a sequence's items, or none.
func Items(n *yaml.Node) []*yaml.Node {
	if n = Resolve(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// EachScalar calls do for each value below a node that is neither a mapping nor a sequence, with its path: at, then keys and indexes.
// Aliases are followed.
func EachScalar(n *yaml.Node, at []string, do func(n *yaml.Node, at []string)) {
	switch n = Resolve(n); {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			EachScalar(n.Content[i+1], append(at[:len(at):len(at)], n.Content[i].Value), do)
		}
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			EachScalar(item, append(at[:len(at):len(at)], Index(i)), do)
		}
	default:
		do(n, at)
	}
}

// Empty reports whether a value says nothing: absent, null, "", [], {}.
func Empty(n *yaml.Node) bool {
	if n == nil || n.Tag == "!!null" {
		return true
	}
	if n.Kind == yaml.ScalarNode {
		return n.Value == ""
	}
	return len(n.Content) == 0
}

// DuplicateKeys visits every key of a document that its mapping holds already, with its line and the first one's.
func DuplicateKeys(document *yaml.Node, found func(key string, line, first int)) {
	duplicateKeys(document, func(k *yaml.Node, first int) { found(k.Value, k.Line, first) })
}

// duplicateKeys visits every key that its mapping holds already. YAML forbids that; kustomize keeps one of the two.
func duplicateKeys(n *yaml.Node, found func(key *yaml.Node, first int)) {
	if n.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if first, dup := seen[k.Value]; dup && k.Kind == yaml.ScalarNode && k.Tag != "!!merge" {
				found(k, first)
				continue
			}
			seen[k.Value] = k.Line
		}
	}
	for _, c := range n.Content {
		duplicateKeys(c, found)
	}
}
