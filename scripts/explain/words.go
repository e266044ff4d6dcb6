package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The words for people, from the root of the repository. They are data and no comments: a comment speaks to who reads the code.
const (
	wordsFile  = "lifecycle/explain/words.txt"
	fieldsFile = "lifecycle/explain/fields.txt"
	jsonFile   = "lifecycle/explain/json.txt"
	hazardPage = "docs/hazards.md"
)

// table is a file of rows with the same number of columns. Rows are taken out as they are used, so that what is left over shows.
type table struct {
	file string
	rows map[string][]string
	// order is the rows' keys as the file has them.
	order []string
}

// readTable reads rows of columns cells, whose first key cells tell them apart.
func readTable(root, file string, columns, key int) (*table, error) {
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	t := &table{file: file, rows: map[string][]string{}}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.SplitN(line, "|", columns)
		for c := range cells {
			cells[c] = strings.TrimSpace(cells[c])
		}
		k := strings.Join(cells[:min(key, len(cells))], " ")
		if _, twice := t.rows[k]; twice || len(cells) != columns || cells[columns-1] == "" {
			return nil, fmt.Errorf("%s:%d: a line is %d columns with a meaning at the end, and each thing has one line", file, i+1, columns)
		}
		t.rows[k], t.order = cells, append(t.order, k)
	}
	return t, nil
}

// take gives the row of a key, or an error that names the file in which it is missing.
func (t *table) take(key string) ([]string, error) {
	row, ok := t.rows[key]
	if !ok {
		return nil, fmt.Errorf("%s has no line for %s: say there what it means to people", t.file, key)
	}
	delete(t.rows, key)
	return row, nil
}

// leftOver is the error about rows that nothing has asked for.
func (t *table) leftOver() error {
	for _, key := range t.order {
		if _, there := t.rows[key]; there && !strings.HasPrefix(key, "*.") {
			return fmt.Errorf("%s has a line for %s, which is not there", t.file, key)
		}
	}
	return nil
}

// constantWords explains the constants of a type, all of which must have their line.
func (s *source) constantWords(words *table, typ, kind string) ([]entry, error) {
	values := map[string]bool{}
	for _, c := range s.consts {
		if c.typ == typ && c.value != "" {
			values[c.value] = true
		}
	}
	var out []entry
	for _, key := range slices.Clone(words.order) {
		row := words.rows[key]
		if len(row) == 0 || row[0] != kind || !values[row[1]] {
			continue
		}
		delete(words.rows, key)
		delete(values, row[1])
		out = append(out, entry{Name: row[1], Kind: kind, Text: row[2]})
	}
	for v := range values {
		return nil, fmt.Errorf("%s has no line for the %s %s: say there what it means to people", words.file, kind, v)
	}
	return out, nil
}

// proseWords are the words that are no constants, with their other names.
func proseWords(words *table) []entry {
	var out []entry
	for _, key := range words.order {
		row, there := words.rows[key]
		if !there || row[0] != "word" {
			continue
		}
		delete(words.rows, key)
		names := strings.Split(row[1], ", ")
		out = append(out, entry{Name: names[0], Kind: "word", Also: names[1:], Text: row[2]})
	}
	return out
}

var (
	hazardRow = regexp.MustCompile(`(?m)^\| (H\d+) ([^|]+) \| ([^|]+) \| ([^|]+) \|`)
	pageLink  = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
)

// hazardWords explains the numbers of docs/hazards.md.
func hazardWords(root string) ([]entry, error) {
	text, err := os.ReadFile(filepath.Join(root, hazardPage))
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, m := range hazardRow.FindAllStringSubmatch(string(text), -1) {
		out = append(out, entry{Name: m[1], Kind: "hazard", Text: pageLink.ReplaceAllString(
			m[2]+".\nWhat k0sctl or k0s does: "+lowerFirst(m[3])+"\nWhat kiban does: "+lowerFirst(m[4]), "$1")})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no table of hazards", hazardPage)
	}
	return out, nil
}
