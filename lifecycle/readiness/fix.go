package readiness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Fixed is what was changed of an object in a file, or why nothing was.
type Fixed struct {
	// Object is the object, Source its file and line.
	Object lifecycle.ObjectRef `json:"object"`
	Source string              `json:"source"`
	// To is the apiVersion that was written, Renamed the fields that have another name there: "spec.a to spec.b".
	To      string   `json:"to,omitempty"`
	Renamed []string `json:"renamed,omitempty"`
	// Left says why it was left as it is; "" where it was changed.
	Left string `json:"left,omitempty"`
}

// String is one line: "overlays/tokyo/pdb.yaml:3: PodDisruptionBudget web is of policy/v1 now".
func (f Fixed) String() string {
	where := f.Source + ": " + strings.TrimSpace(f.Object.String())
	switch {
	case f.Left != "":
		return where + " is left at " + f.Object.APIVersion + ": " + f.Left
	case len(f.Renamed) > 0:
		return where + " is of " + f.To + " now, with " + lifecycle.Enumerate(f.Renamed)
	}
	return where + " is of " + f.To + " now"
}

// Fix writes objects whose API the target does not serve by the one that takes its place, in files of YAML documents: where nothing but
// apiVersion and names of fields differs, and the object means the same. Everything else in a file, comments and layout among it, stays as
// it is. Files maps paths to contents; changed has those that are to be written. What is left alone is told with the reason; of what needs
// no change nothing is told.
func Fix(files map[string][]byte, target lifecycle.Version) (changed map[string][]byte, all []Fixed) {
	changed = map[string][]byte{}
	l := apiLook{Input: Input{Target: target}, table: tableOf(APIs())}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		content, told := l.fixFile(path, files[path])
		if content != nil {
			changed[path] = content
		}
		all = append(all, told...)
	}
	return changed, all
}

// fixFile is a file's new content, nil where it stays, and what is told of it.
func (l *apiLook) fixFile(path string, content []byte) ([]byte, []Fixed) {
	found, err := manifests(content)
	if err != nil {
		// A template, or no YAML: whether it has such an object can't be said object by object.
		if a, ok := l.mentioned(content); ok {
			return nil, []Fixed{{Source: path, Object: lifecycle.ObjectRef{APIVersion: a.GroupVersion(), Kind: a.Kind},
				Left: "the file can't be read as YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}}
		}
		return nil, nil
	}
	var edits []edit
	var told []Fixed
	for _, m := range found {
		a, known := l.table.kind(m.APIVersion, m.Kind)
		if !known || m.version == nil || l.fate(a) != fateEnds {
			continue
		}
		f := Fixed{Object: m.ObjectRef, Source: fmt.Sprintf("%s:%d", path, m.version.Line)}
		made, why := l.conversion(a, m)
		for i := range made {
			if why == "" && !made[i].stands(content) {
				why = "its line is written in a way that is not changed by itself"
			}
		}
		if f.Left = why; why == "" {
			f.To = made[0].to
			for _, e := range made[1:] {
				f.Renamed = append(f.Renamed, e.path+" to "+e.to)
			}
			edits = append(edits, made...)
		}
		if !m.list || f.Left == "" {
			told = append(told, f)
		}
	}
	if len(edits) == 0 {
		return nil, told
	}
	return apply(content, edits), told
}

// mentioned finds the first API in a text that can't be read, that the target does not serve.
func (l *apiLook) mentioned(content []byte) (lifecycle.API, bool) {
	text := string(content)
	for _, a := range APIs() {
		if l.fate(a) == fateEnds && strings.Contains(text, "apiVersion: "+a.GroupVersion()+"\n") &&
			strings.Contains(text, "kind: "+a.Kind+"\n") {
			return a, true
		}
	}
	return lifecycle.API{}, false
}

// edit is a word in a file, and what is to stand there.
type edit struct {
	node *yaml.Node
	to   string
	path string // of a field that is renamed
}

// at is where the word begins in the content; -1 where it does not stand there as it reads.
func (e edit) at(content []byte) int {
	offset := 0
	for line := 1; line < e.node.Line; line++ {
		i := slices.Index(content[offset:], '\n')
		if i < 0 {
			return -1
		}
		offset += i + 1
	}
	for column := 1; column < e.node.Column; column++ { // columns are characters
		if offset >= len(content) {
			return -1
		}
		_, n := utf8.DecodeRune(content[offset:])
		offset += n
	}
	if e.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		offset++
	}
	if offset > len(content) || !strings.HasPrefix(string(content[offset:min(len(content), offset+len(e.node.Value))]), e.node.Value) {
		return -1
	}
	return offset
}

func (e edit) stands(content []byte) bool {
	return e.node.Kind == yaml.ScalarNode && e.node.Anchor == "" && e.at(content) >= 0
}

// apply makes edits from the last to the first, so that none moves another.
func apply(content []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(b.node.Line, a.node.Line), cmp.Compare(b.node.Column, a.node.Column))
	})
	out := slices.Clone(content)
	for _, e := range edits {
		i := e.at(content)
		out = slices.Replace(out, i, i+len(e.node.Value), []byte(e.to)...)
	}
	return out
}
