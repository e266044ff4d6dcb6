// Command explain writes what `kiban explain` says, from the comments in the code that it is about: one truth, next to the code.
//
//	go run ./scripts/explain          # writes cmd/kiban/explain.json
//
// A test beside it fails when the file is not what the comments say.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Target is the file that this command writes, from the root of the repository.
const target = "cmd/kiban/explain.json"

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
	b, err := generate(".")
	if err == nil {
		err = os.WriteFile(target, b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "explain:", err)
		os.Exit(1)
	}
}

// generate reads the repository at root and gives the file's content.
func generate(root string) ([]byte, error) {
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
	for _, name := range []string{"Site", "Cluster", "Host", "Policy", "State", "HostState", "NodeState", "Mark", "Budget", "Plan", "Stage", "Step", "Gate", "GateResult", "Event", "Diagnostic"} {
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
	all = append(all, words.constants("Severity", "severity")...)
	all = append(all, verbs.exitCodes()...)
	fields, err := spec.siteFields(words)
	if err != nil {
		return nil, err
	}
	all = append(all, fields...)

	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err = enc.Encode(all)
	return b.Bytes(), err
}
