package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle/selector"
)

// Table is the list as the head and the rows of a table, cells apart by tabs; changed says that it is of what changed since a revision.
func (l List) Table(changed bool) (head string, rows []string) {
	head = "SITE\tWAVE\tPROVIDER\tVERSION\tLABELS"
	if changed {
		head += "\tCHANGE"
	}
	for _, r := range l.Sites {
		rows = append(rows, strings.TrimRight(r.line(), "\t"))
	}
	return head, rows
}

// None is what is said in place of a table that would have no row; by is what picked its sites.
func (l List) None(changed bool, by selector.Selector) string {
	switch {
	case changed && !by.All():
		return fmt.Sprintf("No site that matches %s changed since %.10s.", by, l.Since)
	case changed:
		return fmt.Sprintf("No site changed since %.10s.", l.Since)
	case !by.All():
		return fmt.Sprintf("No site matches %s.", by)
	}
	return "The fleet has no site."
}

func (r Row) line() string {
	if !r.Valid {
		return strings.Join([]string{r.Name, "?", "?", "?", "cannot be read", r.Change}, "\t")
	}
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
		labels = append(labels, k+"="+r.Labels[k])
	}
	return strings.Join([]string{r.Name, fmt.Sprint(r.Wave), string(r.Provider), cmp.Or(r.Version, "-"),
		cmp.Or(strings.Join(labels, ","), "-"), r.Change}, "\t")
}
