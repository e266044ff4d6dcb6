// Command explain writes what `kiban explain` says and the reference of docs/site.md: the names and types of the code, joined with what
// they mean to people (lifecycle/explain/*.txt). It fails for a field, action or gate without a meaning, and for a meaning of nothing.
//
//	go run ./scripts/explain          # writes lifecycle/explain/explain.json, docs/glossary.md and the fields in docs/site.md
//
// A test beside it fails when the files are not current.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What this command writes, from the root of the repository. Of the page, what stands above the mark is written by hand.
const (
	target = "lifecycle/explain/explain.json"
	page   = "docs/site.md"
	// glossary is the page of all words.
	glossary = "docs/glossary.md"
	// changesFile is what the table of changes is made of.
	changesFile = "lifecycle/k0s_changes.txt"
	mark        = "<!-- Written by `make generate` from lifecycle/explain/fields.txt. -->\n"
)

// entry is one thing that can be explained. Its form is read by lifecycle/explain.
type entry struct {
	// Name is how it is asked for: "gate", "etcd-quorum", "Site.spec.upgrade". Kind groups entries: word, action, gate, event, exit, field.
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Also are other names that people use for it.
	Also []string `json:"also,omitempty"`
	// Type is a field's type in words, Default what holds where it is not written, Example one value.
	Type    string `json:"type,omitempty"`
	Default string `json:"default,omitempty"`
	Example string `json:"example,omitempty"`
	Text    string `json:"text"`
	// Fields are what a word is made of.
	Fields []entry `json:"fields,omitempty"`
}

func main() {
	files, err := generate(".")
	for path, b := range files {
		if err == nil {
			err = os.WriteFile(path, b, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "explain:", err)
		os.Exit(1)
	}
}

// generate reads the repository at root and gives the files' contents.
func generate(root string) (map[string][]byte, error) {
	all, err := collect(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(all); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		return nil, err
	}
	above, _, found := bytes.Cut(text, []byte(mark))
	if !found {
		return nil, fmt.Errorf("%s has lost its mark", page)
	}
	changes, err := os.ReadFile(filepath.Join(root, changesFile))
	if err != nil {
		return nil, err
	}
	below := fieldTable(all) + changeTable(string(changes))
	return map[string][]byte{target: b.Bytes(), page: append(append(above, mark...), below...), glossary: []byte(glossaryPage(all))}, nil
}

// glossaryPage is the words that kiban uses, as a page.
func glossaryPage(all []entry) string {
	var b strings.Builder
	b.WriteString("# Glossary\n\n<!-- Written by `make generate` from lifecycle/explain/words.txt. -->\n\n" +
		"The words that kiban uses, and what it means by them. `kiban explain WORD` says the same at a terminal; the fields of documents\n" +
		"are in [the Site document](site.md#fields), the hazards in [their own page](hazards.md).\n")
	for _, part := range []struct{ kind, title string }{{"word", "Words"}, {"action", "Actions: what a step does"},
		{"gate", "Gates: what must hold before and after a step"}, {"result", "How a run can end"}, {"exit", "Exit codes"}} {
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n|---|---|\n", part.title)
		for _, e := range all {
			if e.Kind != part.kind {
				continue
			}
			name := "**" + e.Name + "**"
			if len(e.Also) > 0 {
				name += ", " + strings.Join(e.Also, ", ")
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(e.Text, "|", "\\|"))
		}
	}
	return b.String()
}

// changeTable is what becomes of a change as a table of Markdown, read as text from where the code has it.
func changeTable(text string) string {
	var b strings.Builder
	b.WriteString("\n## What can change\n\nWhat becomes of a change on a cluster and a machine that live; a new one is set up as declared. " +
		"A row holds for all that is below it, and the longest one counts.\n" +
		"\n| declared | a change | why | the way that there is |\n|---|---|---|---|\n")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if strings.HasPrefix(line, "#") || len(cells) != 4 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", cells[0], cells[1], cells[2], cells[3])
	}
	return b.String()
}

// fieldTable is the fields of each document as a table of Markdown.
func fieldTable(all []entry) string {
	var b strings.Builder
	cell := func(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
	for _, kind := range documentKinds() {
		fmt.Fprintf(&b, "\n### %s\n\n| field | value | default | meaning |\n|---|---|---|---|\n", kind)
		for _, e := range all {
			name, ok := strings.CutPrefix(e.Name, kind+".")
			if !ok || e.Kind != "field" {
				continue
			}
			text := e.Text
			if e.Example != "" {
				text += " Example: `" + e.Example + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, e.Type, cell(e.Default), cell(text))
		}
	}
	return b.String()
}

// collect reads what there is to explain.
func collect(root string) ([]entry, error) {
	code, err := parse(filepath.Join(root, "lifecycle"))
	if err != nil {
		return nil, err
	}
	words, err := readTable(root, wordsFile, 3, 2)
	if err != nil {
		return nil, err
	}
	all := proseWords(words)
	meanings, err := readTable(root, jsonFile, 2, 1)
	if err != nil {
		return nil, err
	}
	if err := code.documents(all, meanings); err != nil {
		return nil, err
	}
	for _, c := range []struct{ typ, kind string }{
		{"Action", "action"}, {"GateKind", "gate"}, {"EventKind", "event"}, {"ServiceState", "service"}, {"HostProblem", "problem"},
		{"ChangeKind", "change"}, {"HealthStatus", "health"}, {"Severity", "severity"}, {"RunResult", "result"},
	} {
		entries, err := code.constantWords(words, c.typ, c.kind)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	if err := words.leftOver(); err != nil {
		return nil, err
	}
	rest, err := collectRest(root)
	return append(all, rest...), err
}

// collectRest reads exit codes, hazards and the fields of documents.
func collectRest(root string) ([]entry, error) {
	verbs, err := parse(filepath.Join(root, "cmd", "kiban"))
	if err != nil {
		return nil, err
	}
	hazards, err := hazardWords(root)
	if err != nil {
		return nil, err
	}
	spec, err := parse(filepath.Join(root, "lifecycle", "site"))
	if err != nil {
		return nil, err
	}
	meanings, err := readTable(root, fieldsFile, 4, 1)
	if err != nil {
		return nil, err
	}
	fields, err := spec.documentFields(meanings)
	return append(append(verbs.exitCodes(), hazards...), fields...), err
}

// documents adds to words what stands in JSON under their name, for who reads `-o json`.
func (s *source) documents(words []entry, meanings *table) error {
	for _, name := range []string{"Site", "Cluster", "Host", "Plan", "Stage", "Step", "Gate", "Event", "State", "Diagnostic", "Mark",
		"Inventory", "Rehearsal", "Drill"} {
		i := slices.IndexFunc(words, func(e entry) bool { return e.Name == lowerFirst(name) })
		if i < 0 {
			return fmt.Errorf("%s has no line for the word %s", wordsFile, lowerFirst(name))
		}
		fields, err := s.jsonFields(name, meanings)
		if err != nil {
			return err
		}
		words[i].Fields = fields
	}
	return meanings.leftOver()
}
