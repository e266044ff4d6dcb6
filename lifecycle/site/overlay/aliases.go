package overlay

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// How much larger documents may become when each alias is replaced by what it stands for: some room, and ten times what is written. A base
// for thousands of hosts may repeat a few fields for each; aliases of aliases, which grow tenfold a line, may not.
const (
	aliasRoom   = 20_000
	aliasFactor = 10
)

// errAliases says that documents are too large with their aliases put in.
type errAliases struct{ line int }

func (e errAliases) Error() string {
	return fmt.Sprintf("line %d: aliases make this more than %d times as large as it is written", e.line, aliasFactor)
}

// weigher counts what nodes weigh, as written and with every alias replaced. It replaces none.
type weigher struct {
	weights map[*yaml.Node]int
	open    map[*yaml.Node]bool
	alias   *yaml.Node // the last one that was seen, to be named
	limit   int
}

// weigh counts documents, which are freshly parsed. The error names the line at which they become too large.
func weigh(docs []*yaml.Node) (written, expanded int, err error) {
	for _, d := range docs {
		written += writtenWeight(d)
	}
	w := weigher{weights: map[*yaml.Node]int{}, open: map[*yaml.Node]bool{}, limit: tooMuch(written)}
	for _, d := range docs {
		if expanded += w.of(d); expanded > w.limit {
			line := d.Line
			if w.alias != nil {
				line = w.alias.Line
			}
			return written, w.limit + 1, errAliases{line}
		}
	}
	return written, expanded, nil
}

func tooMuch(written int) int { return aliasRoom + aliasFactor*written }

// own is what a node weighs alone: long text weighs more.
func own(n *yaml.Node) int { return 1 + len(n.Value)/32 }

func writtenWeight(n *yaml.Node) int {
	sum := own(n)
	for _, c := range n.Content {
		sum += writtenWeight(c)
	}
	return sum
}

// of weighs a node with its aliases replaced; one that stands for itself is too much.
func (w *weigher) of(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		w.alias = n
		return w.of(n.Alias)
	}
	if sum, known := w.weights[n]; known {
		return sum
	}
	if w.open[n] {
		return w.limit + 1
	}
	w.open[n] = true
	sum := own(n)
	for _, c := range n.Content {
		if sum = min(sum+w.of(c), w.limit+1); sum > w.limit {
			break
		}
	}
	delete(w.open, n)
	w.weights[n] = sum
	return sum
}
