package explain

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// beginning begins a paragraph of its own: a heading, or an item of a list.
	beginning = regexp.MustCompile(`^ *(#+|-|\d+\.) `)
	// pageLink leads to another page, which is named as it can be asked for.
	pageLink = regexp.MustCompile(`\[([^\]]+)\]\(([a-z0-9-]+\.md)(#[^)]*)?\)`)
	// placeLink leads to another place of the same page, ruler stands between the head of a table and its rows.
	placeLink = regexp.MustCompile(`\[([^\]]+)\]\(#[^)]*\)`)
	ruler     = regexp.MustCompile(`^\|[|: -]*--[|: -]*$`)
)

// markdown writes a page for a terminal: paragraphs and tables in lines that fit, blocks of code as they are.
func (p *page) markdown(text string) {
	var open, rows []string // the paragraph and the table that are being read
	flush := func() {
		p.paragraph(open)
		p.table(rows)
		open, rows = nil, nil
	}
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		fenced = fenced != fence
		switch {
		case fence || fenced || line == "" || len(open) == 0 && strings.HasPrefix(line, "    "):
			flush()
			p.WriteString(line + "\n")
		case strings.HasPrefix(line, "|"):
			rows = append(rows, line)
		case beginning.MatchString(line):
			flush()
			open = []string{line}
		default:
			open = append(open, line)
		}
	}
	flush()
}

// paragraph writes lines that belong together as one text. What follows the first line of an item stands below its first word.
func (p *page) paragraph(open []string) {
	if len(open) == 0 {
		return
	}
	lead := beginning.FindString(open[0])
	if lead == "" || strings.HasPrefix(lead, "#") {
		lead = open[0][:len(open[0])-len(strings.TrimLeft(open[0], " "))]
	}
	open[0] = open[0][len(lead):]
	for _, line := range lines(terminal(strings.Join(open, " ")), p.width-len(lead)) {
		p.WriteString(lead + line + "\n")
		lead = strings.Repeat(" ", len(lead))
	}
}

// terminal names pages as they are asked for at one.
func terminal(text string) string {
	return placeLink.ReplaceAllString(pageLink.ReplaceAllString(text, "$1 ("+docsFolder+"$2)"), "$1")
}

// table writes rows in columns where they fit, else each cell below the first of its row.
func (p *page) table(rows []string) {
	var cells [][]string
	var widths []int
	total := 0
	for _, row := range rows {
		if ruler.MatchString(row) {
			continue
		}
		c := cellsOf(row)
		for i, text := range c {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if more := utf8.RuneCountInString(text) - widths[i]; more > 0 {
				widths[i], total = widths[i]+more, total+more
			}
		}
		cells = append(cells, c)
	}
	inColumns := total+2*(len(widths)-1) <= p.width
	for _, row := range cells {
		line := ""
		for i, text := range row {
			switch {
			case inColumns:
				line += text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2)
			case text != "":
				p.paragraph([]string{strings.Repeat(" ", 4*min(i, 1)) + text})
			}
		}
		if inColumns {
			p.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
}

// cellsOf are the cells of a row of a table.
func cellsOf(row string) []string {
	const bar = "\x00" // one that is text
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(strings.ReplaceAll(row, `\|`, bar), "|"), "|") {
		cells = append(cells, terminal(strings.TrimSpace(strings.ReplaceAll(cell, bar, "|"))))
	}
	return cells
}
