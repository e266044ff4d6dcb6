package fleet

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Text writes the list as a table; changed says that it is of what changed since a revision.
func (l List) Text(w io.Writer, changed bool) error {
	if len(l.Sites) == 0 {
		text := "The fleet has no site."
		if changed {
			text = fmt.Sprintf("No site changed since %.10s.", l.Since)
		}
		_, err := fmt.Fprintln(w, text)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "SITE\tWAVE\tPROVIDER\tVERSION\tLABELS"
	if changed {
		head += "\tCHANGE"
	}
	fmt.Fprintln(t, head)
	for _, r := range l.Sites {
		fmt.Fprintln(t, strings.TrimRight(r.line(), "\t"))
	}
	return t.Flush()
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
