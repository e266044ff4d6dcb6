package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// branch is a part of a document that is read as a whole.
type branch interface {
	read(n *yaml.Node) error
}

// values are a chart's values: any mapping, kept as JSON with sorted keys.
type values []byte

func (v *values) read(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return errors.New("values are a mapping")
	}
	r := valueReader{budget: maxValues}
	plain, err := r.read(n, maxDepth)
	if err != nil {
		return err
	}
	*v, err = json.Marshal(plain)
	return err
}

// json gives the values; none are an empty object.
func (v values) json() []byte {
	if v == nil {
		return []byte("{}")
	}
	return v
}

// How many values one chart may be given, and how deep: no chart has so many, and aliases within aliases would make more than memory holds.
const (
	maxValues = 100_000
	maxDepth  = 100
)

// valueReader turns YAML into what JSON can hold, within limits.
type valueReader struct{ budget int }

// read turns one value. The YAML library's own decoder would make times of what looks like dates, which Helm leaves
// as text.
func (r *valueReader) read(n *yaml.Node, depth int) (any, error) {
	if r.budget--; r.budget < 0 || depth == 0 {
		return nil, fmt.Errorf("there are more than %d values, or they are more than %d deep", maxValues, maxDepth)
	}
	n = overlay.Resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := r.read(n.Content[i+1], depth-1)
			if err != nil {
				return nil, err
			}
			if n.Content[i].Kind != yaml.ScalarNode || n.Content[i].Tag == "!!merge" {
				return nil, fmt.Errorf("line %d: keys are plain text here", n.Content[i].Line)
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := r.read(item, depth-1)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.ScalarNode:
		return plainScalar(n)
	}
	return nil, errors.New("a value that is neither a mapping, a list nor a single value")
}

func plainScalar(n *yaml.Node) (any, error) {
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int":
		var i int64
		if err := n.Decode(&i); err == nil {
			return i, nil
		}
		var u uint64
		if err := n.Decode(&u); err == nil {
			return u, nil
		}
		return nil, fmt.Errorf("%s is too large a number; write it in quotes", strconv.Quote(n.Value))
	case "!!float":
		var f float64
		if err := n.Decode(&f); err != nil {
			return nil, err
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s can't be passed to a chart", n.Value)
		}
		return f, nil
	}
	return n.Value, nil
}
