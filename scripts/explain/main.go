// Command explain writes what `kiban explain` says, from the comments in the code that it is about: one truth, next to the code.
//
//	go run ./scripts/explain          # writes cmd/kiban/explain.json and the fields in docs/site.md
//
// A test beside it fails when the files are not what the comments say.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What this command writes, from the root of the repository. Of the page, what stands above the mark is written by hand.
const (
	target = "cmd/kiban/explain.json"
	page   = "docs/site.md"
	// changesFile is what the table of changes is made of.
	changesFile = "lifecycle/k0s_changes.txt"
	mark        = "<!-- Written by `make generate` from the comments in the code. -->\n"
)

// entry is one thing that can be explained. Its form is read by cmd/kiban.
type entry struct {
	// Name is how it is asked for: "gate", "etcd-quorum", "Site.spec.upgrade". Kind groups entries: word, action, gate, event, exit, field.
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Type is a field's type in words.
	Type string `json:"type,omitempty"`
	Text string `json:"text"`
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
	return map[string][]byte{target: b.Bytes(), page: append(append(above, mark...), below...)}, nil
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
	for _, kind := range documentKinds() {
		fmt.Fprintf(&b, "\n### %s\n\n| field | value | meaning |\n|---|---|---|\n", kind)
		for _, e := range all {
			if name, ok := strings.CutPrefix(e.Name, kind+"."); ok && e.Kind == "field" {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, e.Type, strings.ReplaceAll(e.Text, "|", "\\|"))
			}
		}
	}
	return b.String()
}

// collect reads what there is to explain.
func collect(root string) ([]entry, error) {
	words, err := parse(filepath.Join(root, "lifecycle"))
	if err != nil {
		return nil, err
	}
	spec, err := parse(filepath.Join(root, "lifecycle", "site"))
	if err != nil {
		return nil, err
	}
	verbs, err := parse(filepath.Join(root, "cmd", "kiban"))
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, name := range []string{"Site", "Cluster", "Host", "HostFile", "Policy", "Platform", "Addon", "Tenant", "Fleet", "Pins", "State",
		"HostState",
		"NodeState", "Mark", "Budget", "UnitState", "ObjectChange", "Inventory", "Plan", "Stage", "Step", "Gate", "GateResult", "Event",
		"Diagnostic"} {
		e, err := words.word(name)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	all = append(all, words.constants("Action", "action")...)
	all = append(all, words.constants("GateKind", "gate")...)
	all = append(all, words.constants("EventKind", "event")...)
	all = append(all, words.constants("ServiceState", "service")...)
	all = append(all, words.constants("HostProblem", "problem")...)
	all = append(all, words.constants("ChangeKind", "change")...)
	all = append(all, words.constants("HealthStatus", "health")...)
	all = append(all, words.constants("Severity", "severity")...)
	all = append(all, verbs.exitCodes()...)
	fields, err := spec.documentFields(words)
	if err != nil {
		return nil, err
	}
	return append(all, fields...), nil
}
