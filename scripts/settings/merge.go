package main

import (
	"bytes"
	"encoding/json"
	"slices"
)

// file is what lifecycle/readiness reads. What begins with the first minor has no `from`, what the last one still has no `to`.
type file struct {
	Source  string   `json:"source"`
	Modules []module `json:"modules"`
	// Flags are by program.
	Flags map[string][]flagRow `json:"flags"`
	Gates []gateRow            `json:"gates"`
	// Plugins are kube-apiserver's admission plugins, Controllers the names that kube-controller-manager's --controllers takes.
	Plugins     []nameRow `json:"plugins"`
	Controllers []nameRow `json:"controllers"`
}

// module is where a minor was read: a version of k8s.io/kubernetes and its checksum, as Go's checksum database has it.
type module struct {
	Minor   string `json:"minor"`
	Version string `json:"version"`
	Sum     string `json:"sum"`
}

type nameRow struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

type flagRow struct {
	nameRow
	// Deprecated is the first minor that says that the flag is not to be used, Says what it says.
	Deprecated string `json:"deprecated,omitempty"`
	Says       string `json:"says,omitempty"`
}

type gateRow struct {
	nameRow
	// Is is what the gate is from a minor on.
	Is []gateSpec `json:"is"`
	// Goes is when the newest minor says that it will be removed.
	Goes string `json:"goes,omitempty"`
}

type gateSpec struct {
	At     string `json:"at"`
	Stage  string `json:"stage"`
	On     bool   `json:"on,omitempty"`
	Locked bool   `json:"locked,omitempty"`
	// Needs are gates that have to be on where this one is.
	Needs []string `json:"needs,omitempty"`
}

func (g gateSpec) same(o gateSpec) bool {
	return g.Stage == o.Stage && g.On == o.On && g.Locked == o.Locked && slices.Equal(g.Needs, o.Needs)
}

// minorFacts is what one minor says.
type minorFacts struct {
	minor       string
	flags       map[string]map[string]flag
	gates       map[string]spec
	plugins     []string
	controllers []string
}

// merge makes rows of what each minor says, the oldest first. Something that goes and comes back gets two rows.
func merge(all []minorFacts) file {
	out := file{Flags: map[string][]flagRow{}}
	for program := range where() {
		names := map[string]bool{}
		for _, m := range all {
			for name := range m.flags[program] {
				names[name] = true
			}
		}
		for _, name := range sortedKeys(names) {
			for _, run := range runs(all, func(m minorFacts) bool { _, has := m.flags[program][name]; return has }) {
				row := flagRow{nameRow: run.row(name, all)}
				for _, m := range all[run.first : run.last+1] {
					switch f := m.flags[program][name]; {
					case f.Deprecated == "":
						row.Deprecated = "" // it was taken back
					case row.Deprecated == "":
						row.Deprecated = m.minor
					}
					row.Says = m.flags[program][name].Deprecated
				}
				out.Flags[program] = append(out.Flags[program], row)
			}
		}
	}
	out.Gates = mergeGates(all)
	out.Plugins = mergeNames(all, func(m minorFacts) []string { return m.plugins })
	out.Controllers = mergeNames(all, func(m minorFacts) []string { return m.controllers })
	return out
}

func mergeNames(all []minorFacts, of func(minorFacts) []string) []nameRow {
	names, rows := map[string]bool{}, []nameRow(nil)
	for _, m := range all {
		for _, name := range of(m) {
			names[name] = true
		}
	}
	for _, name := range sortedKeys(names) {
		for _, run := range runs(all, func(m minorFacts) bool { return slices.Contains(of(m), name) }) {
			rows = append(rows, run.row(name, all))
		}
	}
	return rows
}

func mergeGates(all []minorFacts) []gateRow {
	names, rows := map[string]bool{}, []gateRow(nil)
	for _, m := range all {
		for name := range m.gates {
			names[name] = true
		}
	}
	for _, name := range sortedKeys(names) {
		for _, run := range runs(all, func(m minorFacts) bool { _, has := m.gates[name]; return has }) {
			row := gateRow{nameRow: run.row(name, all)}
			for _, m := range all[run.first : run.last+1] {
				g := m.gates[name]
				is := gateSpec{At: m.minor, Stage: g.Stage, On: g.On, Locked: g.Locked, Needs: g.Needs}
				if n := len(row.Is); n == 0 || !row.Is[n-1].same(is) {
					row.Is = append(row.Is, is)
				}
				if row.Goes = ""; minorOf(g.Goes) > minorOf(m.minor) {
					row.Goes = g.Goes
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// run is a stretch of minors.
type run struct{ first, last int }

func (r run) row(name string, all []minorFacts) nameRow {
	row := nameRow{Name: name}
	if r.first > 0 {
		row.From = all[r.first].minor
	}
	if r.last < len(all)-1 {
		row.To = all[r.last].minor
	}
	return row
}

func runs(all []minorFacts, has func(minorFacts) bool) []run {
	var out []run
	for i, m := range all {
		switch {
		case !has(m):
		case len(out) > 0 && out[len(out)-1].last == i-1:
			out[len(out)-1].last = i
		default:
			out = append(out, run{first: i, last: i})
		}
	}
	return out
}

// text is the file, one row a line, so that a diff of two of them can be read.
func (f file) text() ([]byte, error) {
	var b bytes.Buffer
	var failed error
	item := func(v any) {
		var one bytes.Buffer
		enc := json.NewEncoder(&one)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			failed = err
		}
		b.Write(bytes.TrimSpace(one.Bytes()))
	}
	list := func(n int, each func(int)) {
		b.WriteString("[\n")
		for i := range n {
			b.WriteString("  ")
			each(i)
			if i < n-1 {
				b.WriteString(",")
			}
			b.WriteString("\n")
		}
		b.WriteString(" ]")
	}
	b.WriteString("{\n \"source\": ")
	item(f.Source)
	b.WriteString(",\n \"modules\": ")
	list(len(f.Modules), func(i int) { item(f.Modules[i]) })
	b.WriteString(",\n \"gates\": ")
	list(len(f.Gates), func(i int) { item(f.Gates[i]) })
	b.WriteString(",\n \"plugins\": ")
	list(len(f.Plugins), func(i int) { item(f.Plugins[i]) })
	b.WriteString(",\n \"controllers\": ")
	list(len(f.Controllers), func(i int) { item(f.Controllers[i]) })
	b.WriteString(",\n \"flags\": {")
	for i, program := range sortedKeys(f.Flags) {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n \"" + program + "\": ")
		rows := f.Flags[program]
		list(len(rows), func(i int) { item(rows[i]) })
	}
	b.WriteString("\n }\n}\n")
	return b.Bytes(), failed
}
