package page

import (
	"regexp"
	"slices"
	"strings"
)

// Mark says how something is to be taken. It is shown as a colour, and always beside words that say the same.
type Mark string

const (
	MarkNone    Mark = ""
	MarkGood    Mark = "good"
	MarkOdd     Mark = "odd" // worth a look
	MarkBad     Mark = "bad"
	MarkOld     Mark = "old"     // it was so once; how it is now is not known
	MarkUnknown Mark = "unknown" // it never was known
)

// Doc is one page.
type Doc struct {
	// File is its path within the site, with slashes: "index.html", "site/tokyo-prod.html".
	File  string
	Title string
	// Lead are paragraphs that say what the page is about.
	Lead     []string
	Figures  []Figure
	Sections []Section
}

// Root leads from the page to the top of the site: "" or "../".
func (d Doc) Root() string {
	if strings.HasPrefix(d.File, sitesFolder) {
		return "../"
	}
	return ""
}

// Figure is a number that leads to the list of what it counts.
type Figure struct {
	Number, Label string
	// Beside says what the number leaves out.
	Beside string
	Link   string
	Mark   Mark
}

// Section is a part of a page.
type Section struct {
	ID, Title string
	// Note says from when it is, or why it is not known; Mark is the note's.
	Note  string
	Mark  Mark
	Lines []Cell
	Facts []Fact
	Table *Table
	Tree  []Branch
	// Stages are a picture of how far the waves are.
	Stages []Stage
	// Ways are how to change something.
	Ways []Way
	// Folded: it is long, and shut at first.
	Folded bool
}

// Fact is a name with a value.
type Fact struct {
	Name string
	Cell
}

// Cell is a piece of text, which may lead somewhere.
type Cell struct {
	Text string
	// Link is a path within the site, or an https address; "" where it leads nowhere.
	Link string
	// Key is what a table is sorted by where the text does not sort by itself: numbers, times as 2006-01-02.
	Key  string
	Mark Mark
	// Parts are what Text says in several, each with a link of its own; none: it has but one.
	Parts []Cell
}

// longWord is how many characters a word may have that a column is as wide as; longText is from how many on text needs a wide column;
// shortText is up to how many it stands in one line, where there is a day in it.
const (
	longWord  = 28
	longText  = 60
	shortText = 26
)

// dated matches text with a day in it, which is not to be broken.
var dated = regexp.MustCompile(`\d{4}-\d\d-\d\d`)

// Class is how a cell is shown: its mark, and how wide a column it needs.
func (c Cell) Class() string {
	width := ""
	switch {
	case len(c.Text) > longText || slices.ContainsFunc(strings.Fields(c.Text), func(w string) bool { return len(w) > longWord }):
		width = "long"
	case dated.MatchString(c.Text) && len(c.Text) <= shortText:
		width = "line"
	case dated.MatchString(c.Text):
		width = "day"
	}
	return strings.TrimSpace(string(c.Mark) + " " + width)
}

// Table has a row for each of many things.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]Cell
	// Empty is said where there is no row.
	Empty string
	// Search: it is long enough to be searched.
	Search bool
}

// withoutEmpty leaves out the columns of which no row says anything, the first excepted.
func (t *Table) withoutEmpty() *Table {
	for i := len(t.Head) - 1; i > 0; i-- {
		if slices.ContainsFunc(t.Rows, func(row []Cell) bool { return row[i].Text != "" }) {
			continue
		}
		t.Head = slices.Delete(t.Head, i, i+1)
		for j, row := range t.Rows {
			t.Rows[j] = slices.Delete(row, i, i+1)
		}
	}
	return t
}

// Branch is an entry of a list whose entries have lists. Folded: the list below it is shut at first.
type Branch struct {
	ID string
	Cell
	// Beside is what is said of it.
	Beside Cell
	// Bar shows how far it is; nil: nothing tells.
	Bar    *Bar
	Below  []Branch
	Folded bool
}

// Way is how something is changed: a link that opens an editor of the forge, and what to write or to run.
type Way struct {
	Title string
	// Link is "" where no forge is known.
	Link, Label string
	// Warn is what stands in its way now.
	Warn []Cell
	Says string
	Text string
}

const sitesFolder = "site/"

// longestName is how many bytes a site's name may have, for a page to have that name: file systems take 255.
const longestName = 240

// siteForm is what a site's name can be, for a page to have that name.
var siteForm = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._]*$`)

// sitePage is the file of a site's page, and how links name it; "" where the site's name can't be that of a file.
func sitePage(name string) string {
	if !siteForm.MatchString(name) || len(name) > longestName {
		return ""
	}
	return sitesFolder + name + ".html"
}

// anchor is a place on a page; "" where there is no page.
func anchor(page, id string) string {
	if page == "" {
		return ""
	}
	return page + "#" + id
}
