package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFilesAreCurrent holds the written file against the sources of each version that Go's module cache has; nothing is downloaded. Where
// it has all of them, the whole file is compared.
func TestFilesAreCurrent(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", target))
	if err != nil {
		t.Fatal(err)
	}
	var written file
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range written.Modules {
		names = append(names, strings.TrimPrefix(m.Version, "v"))
	}
	if !slices.Equal(names, versions()) {
		t.Fatalf("%s is of %v; run: go run ./scripts/settings", target, names)
	}
	var all []found
	for i, v := range versions() {
		f, err := fetch(v, []string{"GOPROXY=off", "GOSUMDB=off"})
		if err != nil {
			t.Logf("Kubernetes %s is not in the module cache, so what is said of it is not checked here", v)
			continue
		}
		all = append(all, f)
		if f.sum != written.Modules[i].Sum {
			t.Errorf("Kubernetes %s has the checksum %s, and the file was made of %s", v, f.sum, written.Modules[i].Sum)
		}
		is, err := read(f)
		if err != nil {
			t.Fatal(err)
		}
		said := written.at(is.minor)
		for name, g := range is.gates {
			g.Goes = ""
			is.gates[name] = g
		}
		for program, flags := range is.flags {
			if !slices.Equal(sortedKeys(flags), sortedKeys(said.flags[program])) {
				t.Errorf("flags of %s %s are not current; run: go run ./scripts/settings", program, v)
			}
		}
		if !reflect.DeepEqual(is.gates, said.gates) || !slices.Equal(is.plugins, said.plugins) ||
			!slices.Equal(is.controllers, said.controllers) {
			t.Errorf("gates, plugins or controllers of %s are not current; run: go run ./scripts/settings", v)
		}
	}
	if len(all) == 0 {
		t.Skip("no sources of Kubernetes are in Go's module cache")
	}
	if len(all) == len(versions()) {
		want, err := compose(all)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, want) {
			t.Errorf("%s is not what the modules say; run: go run ./scripts/settings", target)
		}
	}
}

// at is what the file says of a minor, without what only the newest minor says.
func (f file) at(minor string) minorFacts {
	in := func(r nameRow) bool {
		return (r.From == "" || minorOf(r.From) <= minorOf(minor)) && (r.To == "" || minorOf(minor) <= minorOf(r.To))
	}
	out := minorFacts{minor: minor, flags: map[string]map[string]flag{}, gates: map[string]spec{}}
	for program, rows := range f.Flags {
		out.flags[program] = map[string]flag{}
		for _, r := range rows {
			if in(r.nameRow) {
				out.flags[program][r.Name] = flag{}
			}
		}
	}
	for _, r := range f.Gates {
		for _, is := range r.Is {
			if in(r.nameRow) && minorOf(is.At) <= minorOf(minor) {
				out.gates[r.Name] = spec{Stage: is.Stage, On: is.On, Locked: is.Locked, Needs: is.Needs}
			}
		}
	}
	for _, r := range f.Plugins {
		if in(r) {
			out.plugins = append(out.plugins, r.Name)
		}
	}
	for _, r := range f.Controllers {
		if in(r) {
			out.controllers = append(out.controllers, r.Name)
		}
	}
	return out
}

// What comes, goes and comes back gets a row for each time; what is deprecated and taken back is not deprecated.
func TestMerge(t *testing.T) {
	minor := func(v string, flags map[string]flag, gates map[string]spec) minorFacts {
		return minorFacts{minor: v, flags: map[string]map[string]flag{"kubelet": flags}, gates: gates}
	}
	got := merge([]minorFacts{
		minor("1.30", map[string]flag{"a": {}, "b": {Deprecated: "soon"}, "c": {}},
			map[string]spec{"G": {Stage: "alpha", Goes: "1.29"}}),
		minor("1.31", map[string]flag{"a": {}, "b": {}}, map[string]spec{"G": {Stage: "beta", On: true, Goes: "1.35"}}),
		minor("1.32", map[string]flag{"a": {Deprecated: "later"}, "b": {}, "c": {}},
			map[string]spec{"G": {Stage: "beta", On: true, Goes: "1.35"}}),
	})
	want := []flagRow{
		{nameRow: nameRow{Name: "a"}, Deprecated: "1.32", Says: "later"}, {nameRow: nameRow{Name: "b"}},
		{nameRow: nameRow{Name: "c", To: "1.30"}}, {nameRow: nameRow{Name: "c", From: "1.32"}},
	}
	if !reflect.DeepEqual(got.Flags["kubelet"], want) {
		t.Errorf("flags: %+v", got.Flags["kubelet"])
	}
	gate := gateRow{nameRow: nameRow{Name: "G"}, Goes: "1.35",
		Is: []gateSpec{{At: "1.30", Stage: "alpha"}, {At: "1.31", Stage: "beta", On: true}}}
	if !reflect.DeepEqual(got.Gates, []gateRow{gate}) {
		t.Errorf("gates: %+v", got.Gates)
	}
}

// The source says in many words when a gate goes.
func TestRemoval(t *testing.T) {
	for text, want := range map[string]string{
		"// remove in 1.39, locked to default in 1.36": "1.39", "// GA in 1.36; remove in 1.39": "1.39", "// remove in v1.40": "1.40",
		"// lock to default in 1.38, remove in 1.39": "1.39", "// locked to true in +4 releases (1.38) and then removed (1.39)": "1.39",
		"// remove after MultiCIDR is GA": "", "// GA in 1.33": "",
	} {
		got := ""
		if m := removal.FindStringSubmatch(text); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%q goes in %q, want %q", text, got, want)
		}
	}
}
