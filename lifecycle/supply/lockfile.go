package supply

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// ReadPins reads a lock file; nil when there is none. What is wrong in it is Diagnostics, with file and line.
func ReadPins(file string) (*lifecycle.Pins, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the lock file: %w", err)
	}
	pins, _, err := ParsePins(file, b)
	return pins, err
}

// PinLines says where in a lock file something is pinned, by ChartKey, by a manifest's URL, or by "<version>/<arch>" of k0s.
type PinLines map[string]int

// ChartKey names a chart in PinLines.
func ChartKey(p lifecycle.ChartPin) string { return p.Repo + " " + p.Name + " " + p.Version }

// ParsePins reads the content of a lock file; name is what it is called in diagnostics.
func ParsePins(name string, b []byte) (*lifecycle.Pins, PinLines, error) {
	r := pinReader{name: name, lines: PinLines{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		r.fail(0, "this is not YAML", err.Error())
		return nil, nil, r.found
	}
	var pins lifecycle.Pins
	if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
		r.file(doc.Content[0], &pins)
	}
	if len(r.found) > 0 {
		return nil, nil, r.found
	}
	sortPins(&pins)
	return &pins, r.lines, nil
}

// pinReader gathers what it finds wrong.
type pinReader struct {
	name  string
	lines PinLines
	found lifecycle.Diagnostics
}

func (r *pinReader) fail(line int, summary, detail string) {
	subject := r.name
	if line > 0 {
		subject = fmt.Sprintf("%s:%d", r.name, line)
	}
	r.found = append(r.found, lifecycle.Errorf(subject, "%s", summary).
		Because(detail).
		Try("The file is written by `kiban pin`; write it again, or take it from the last commit in which it was right."))
}

func (r *pinReader) file(n *yaml.Node, pins *lifecycle.Pins) {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "a lock file must be a mapping", "")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "charts":
			for _, item := range r.items(value, "charts") {
				f := r.fields(item, "repo", "name", "version", "digest")
				p := lifecycle.ChartPin{Repo: f["repo"], Name: f["name"], Version: f["version"], Digest: f["digest"]}
				if r.once(item, ChartKey(p)) {
					pins.Charts = append(pins.Charts, p)
				}
			}
		case "manifests":
			for _, item := range r.items(value, "manifests") {
				f := r.fields(item, "url", "digest")
				if r.once(item, f["url"]) {
					pins.Manifests = append(pins.Manifests, lifecycle.ManifestPin{URL: f["url"], Digest: f["digest"]})
				}
			}
		case "k0s":
			pins.K0s = r.binaries(value)
		default:
			r.fail(key.Line, fmt.Sprintf("a lock file has no field %q", key.Value), "")
		}
	}
}

func (r *pinReader) items(n *yaml.Node, field string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n.Line, field+" must be a list", "")
		return nil
	}
	return n.Content
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// fields reads a mapping of just these fields, each given and a single value.
func (r *pinReader) fields(n *yaml.Node, names ...string) map[string]string {
	got := map[string]string{}
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "a pin must be a mapping", "")
		return got
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !slices.Contains(names, key.Value) || value.Kind != yaml.ScalarNode {
			r.fail(key.Line, fmt.Sprintf("a pin can't hold %q", key.Value), "It has "+strings.Join(names, ", ")+".")
			continue
		}
		got[key.Value] = value.Value
	}
	for _, name := range names {
		switch {
		case got[name] == "":
			r.fail(n.Line, "a pin without "+name, "")
		case name == "digest":
			r.digest(n.Line, got[name])
		}
	}
	return got
}

func (r *pinReader) digest(line int, digest string) {
	if !digestForm.MatchString(digest) {
		r.fail(line, fmt.Sprintf("%q is no digest", digest), `It is "sha256:" and 64 hexadecimal digits, in lower case.`)
	}
}

// once remembers the line of a pin, and refuses a second one of the same thing.
func (r *pinReader) once(n *yaml.Node, key string) bool {
	if first, twice := r.lines[key]; twice {
		r.fail(n.Line, "pinned twice", fmt.Sprintf("Line %d pins it already.", first))
		return false
	}
	r.lines[key] = n.Line
	return true
}

func (r *pinReader) binaries(n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "k0s must be a mapping", "")
		return nil
	}
	sums := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		version, arch, ok := strings.Cut(key.Value, "/")
		if _, err := lifecycle.ParseVersion(version); err != nil || !ok || arch == "" {
			r.fail(key.Line, fmt.Sprintf("%q does not say which binary it is for", key.Value),
				`It is "<version>/<arch>", such as "v1.36.3+k0s.2/amd64".`)
			continue
		}
		r.digest(key.Line, value.Value)
		if r.once(key, key.Value) {
			sums[key.Value] = value.Value
		}
	}
	return sums
}
