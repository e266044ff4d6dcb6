package render

import (
	"io"
	"strings"
)

// leastColumn is how narrow a table's last column may be made, before it goes below the others.
const leastColumn = 24

// Table writes a head and rows, whose cells are apart by tabs, as columns that fit the terminal.
func Table(w io.Writer, style Style, head string, rows []string) error {
	var b strings.Builder
	table(&b, style, head, rows)
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// table writes a head and rows, whose cells are apart by tabs. Where the terminal is narrower than that, the last column is broken within
// its own, or the columns that have no room go below the others, set in.
func table(b *strings.Builder, style Style, head string, rows []string) {
	if len(rows) == 0 {
		return
	}
	cells := [][]string{strings.Split(head, "\t")}
	for _, r := range rows {
		cells = append(cells, strings.Split(r, "\t"))
	}
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, c := range row[:min(len(row), len(widths))] {
			widths[i] = max(widths[i], columnsOf(c))
		}
	}
	beside, hang := layOut(widths, style.columns)
	b.WriteByte('\n')
	for _, row := range cells {
		line := ""
		for i, c := range row[:min(len(row), beside)] {
			line += c + strings.Repeat(" ", max(0, widths[min(i, len(widths)-1)]-columnsOf(c))+2)
		}
		var lines []string
		if line = strings.TrimRight(line, " "); line != "" || len(row) <= beside {
			lines = wrapColumns(line, hang, style.columns)
		}
		if len(row) > beside {
			rest := strings.TrimLeft(strings.Join(row[beside:], "  "), " ")
			lines = append(lines, wrapColumns(strings.Repeat(" ", hang)+rest, hang, style.columns)...)
		}
		for _, l := range lines {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
}

// layOut says how many of a table's columns stand beside each other, and by how much what has no room there is set in. No limit: all.
func layOut(widths []int, limit int) (beside, hang int) {
	at := 0
	for i, w := range widths {
		last := i == len(widths)-1
		if limit > 0 && at+w > limit && (!last || limit-at < leastColumn) && i > 0 {
			return i, min(4, limit/3)
		}
		if last && limit > 0 && at+w > limit {
			return len(widths), at
		}
		at += w + 2
	}
	return len(widths), min(4, max(limit, 0)/3)
}
