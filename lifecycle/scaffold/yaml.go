package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// documents reads the YAML documents of a file, empty ones left out.
func documents(content []byte) ([]*yaml.Node, error) {
	var out []*yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(n.Content) == 1 && n.Content[0].Tag != "!!null" {
			out = append(out, &n)
		}
	}
}

func encode(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// get follows keys down mappings; nil when one is missing.
func get(n *yaml.Node, keys ...string) *yaml.Node {
	for _, k := range keys {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		i := position(n, k)
		if i < 0 {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// position is where a mapping has a key, or -1.
func position(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// set gives a key of a mapping a plain value: where it was, or else at the front.
func set(m *yaml.Node, key, value string) {
	v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	if i := position(m, key); i >= 0 {
		v.Line, v.LineComment = m.Content[i+1].Line, m.Content[i+1].LineComment
		m.Content[i+1] = v
		return
	}
	m.Content = slices.Insert(m.Content, 0, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, v)
	if len(m.Content) > 2 { // what is said above the first key is said of the whole
		m.Content[0].HeadComment, m.Content[2].HeadComment = m.Content[2].HeadComment, ""
	}
	m.Style &^= yaml.FlowStyle
}

// mapping is the mapping below a key, made when it is not there.
func mapping(m *yaml.Node, key string) *yaml.Node {
	if i := position(m, key); i >= 0 {
		if m.Content[i+1].Kind != yaml.MappingNode && text(m.Content[i+1]) == "" {
			m.Content[i+1] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: m.Content[i].Line}
		}
		return m.Content[i+1]
	}
	v := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, v)
	return v
}

// drop removes a key.
func drop(m *yaml.Node, key string) {
	if i := position(m, key); i >= 0 {
		m.Content = slices.Delete(m.Content, i, i+2)
	}
}

// maxNodes bounds what aliases may unfold to.
const maxNodes = 200_000

// unfold gives a copy of a node in which aliases and merge keys are written out, and the words for true and false that YAML 1.1 had, which
// k0sctl reads and kustomize takes for text, are those of today.
func unfold(n *yaml.Node) (*yaml.Node, error) {
	left := maxNodes
	return unfoldInto(n, &left)
}

func unfoldInto(n *yaml.Node, left *int) (*yaml.Node, error) {
	if *left--; *left < 0 {
		return nil, fmt.Errorf("its aliases unfold to more than %d values", maxNodes)
	}
	if n.Kind == yaml.AliasNode {
		return unfoldInto(n.Alias, left)
	}
	out := *n
	out.Anchor, out.Content = "", nil
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		modern(&out)
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Tag == "!!merge" {
			continue
		}
		copied, err := unfoldInto(c, left)
		if err != nil {
			return nil, err
		}
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Tag == "!!merge" {
			merge(&out, n, copied)
			continue
		}
		out.Content = append(out.Content, copied)
	}
	return &out, nil
}

// merge puts what a merge key brings into a mapping, as far as the mapping itself, or an earlier one, does not say otherwise.
func merge(into, written, from *yaml.Node) {
	parts := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		parts = from.Content
	}
	for _, p := range parts {
		for i := 0; i+1 < len(p.Content); i += 2 {
			if k := p.Content[i].Value; position(written, k) < 0 && position(into, k) < 0 {
				into.Content = append(into.Content, p.Content[i], p.Content[i+1])
			}
		}
	}
}

func modern(n *yaml.Node) {
	switch n.Value {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		n.Tag, n.Value = "!!bool", "true"
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		n.Tag, n.Value = "!!bool", "false"
	}
}

// lines says for the lines of a text which lines of another its values were written in: made is the tree that the text was printed from,
// and carries the other's lines.
func lines(printed, made *yaml.Node, out map[int]int, above int) {
	line := made.Line
	if line == 0 {
		line = above
	}
	if _, known := out[printed.Line]; !known && line > 0 {
		out[printed.Line] = line
	}
	for i := range min(len(printed.Content), len(made.Content)) {
		lines(printed.Content[i], made.Content[i], out, line)
	}
}

// yamlProblem takes the line out of what the YAML library says.
func yamlProblem(err error) (line int, what string) {
	what = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(what, "line %d: ", &line); n == 1 {
		_, what, _ = strings.Cut(what, ": ")
	}
	return line, what
}
