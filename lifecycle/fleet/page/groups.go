package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// maxOfALabel is how many values a label may have to make groups: one that each site has for itself, such as its address, makes none.
const maxOfALabel = 100

// groupsOf are the sites by label and value, and by wave: "tier=production".
func groupsOf(sites []site) (names []string, of map[string][]site) {
	of = map[string][]site{}
	values := map[string]map[string]bool{}
	for _, s := range sites {
		if w := s.wave(); w.known {
			wave := fmt.Sprintf("wave=%d", w.number)
			of[wave] = append(of[wave], s)
		}
		d, _, _ := s.Declared.Last()
		for k, v := range d.Labels {
			if values[k] == nil {
				values[k] = map[string]bool{}
			}
			values[k][v] = true
			of[k+"="+v] = append(of[k+"="+v], s)
		}
	}
	for k, all := range values {
		if len(all) > maxOfALabel {
			for v := range all {
				delete(of, k+"="+v)
			}
		}
	}
	return slices.SortedFunc(maps.Keys(of), compareNumbers), of
}

// compareNumbers sorts "wave=2" before "wave=10".
func compareNumbers(a, b string) int {
	x, _, _ := strings.Cut(a, "=")
	y, _, _ := strings.Cut(b, "=")
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func groupsPage(sites []site, asked []question) Doc {
	names, of := groupsOf(sites)
	d := Doc{File: "groups.html", Title: "Groups", Lead: []string{"Sites by their labels and waves, as the repository declares " +
		"them; where it can't be read, as was known last. " +
		"Every verb that takes several sites takes such a label, too: kiban plan -l tier=production."}}
	head := []string{"Label", "Sites"}
	for _, q := range asked {
		head = append(head, capital(q.label))
	}
	t := &Table{Head: head, Empty: "No label is known.", Search: true}
	list := Section{ID: "members", Title: "Who is in which group"}
	for i, name := range names {
		members := of[name]
		row := []Cell{{Text: name, Link: fmt.Sprintf("groups.html#g%d", i)}, {Text: fmt.Sprint(len(members)), Key: numberKey(len(members))}}
		for _, q := range asked {
			a := q.answer(members)
			c := Cell{Text: fmt.Sprint(a.now), Key: numberKey(a.now)}
			if a.now > 0 {
				c.Mark = q.mark
			}
			if rest := a.past + a.undetermined; rest > 0 {
				c.Text += fmt.Sprintf(" (%d ?)", rest)
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
		list.Tree = append(list.Tree, Branch{ID: fmt.Sprintf("g%d", i), Cell: Cell{Text: name + ": " + lifecycle.Count(len(members), "site")},
			Below: asBranches(members), Folded: true})
	}
	t.Caption = "How the sites of each group stand; (3 ?) is how many are not known as of now"
	d.Sections = []Section{{ID: "groups", Title: "By label", Table: t}, list}
	return d
}

// asBranches are sites as entries that lead to their pages.
func asBranches(sites []site) []Branch {
	out := make([]Branch, len(sites))
	for i, s := range sites {
		out[i] = Branch{Cell: s.name()}
	}
	return out
}
