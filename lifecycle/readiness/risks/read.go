package risks

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Mistake is what is wrong with a risk file, and where.
type Mistake struct {
	File string
	Line int
	Text string
}

// Where is the place, "risks/a.yaml:7".
func (m Mistake) Where() string { return m.File + ":" + strconv.Itoa(m.Line) }

// reader reads one file.
type reader struct {
	file     string
	mistakes []Mistake
}

func (r *reader) wrong(n *yaml.Node, format string, a ...any) {
	line := 1
	if n != nil && n.Line > 0 {
		line = n.Line
	}
	r.mistakes = append(r.mistakes, Mistake{r.file, line, fmt.Sprintf(format, a...)})
}

var (
	idForm    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	minorForm = regexp.MustCompile(`^v(\d{1,4})\.(\d{1,4})$`)
	lineOf    = regexp.MustCompile(`line (\d+):`)
)

// fields are those of a risk file; the first of them must be there.
func fields() (required, optional []string) {
	return []string{"id", "title", "about", "rank", "consequence", "remedy", "sources"}, []string{"from", "to", "when", "unless", "fixedIn"}
}

// Read reads a risk file, strictly: what kiban does not know is a mistake, as is what leaves open whom it concerns. The file's name is the
// risk's.
func Read(file string, text []byte) (Risk, []Mistake) {
	r := &reader{file: file}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		at := &yaml.Node{Line: 1}
		if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
			at.Line, _ = strconv.Atoi(m[1]) // digits
		}
		r.wrong(at, "this is not YAML: %v", err)
		return Risk{}, r.mistakes
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.wrong(&doc, "a risk is one mapping")
		return Risk{}, r.mistakes
	}
	out := r.risk(doc.Content[0])
	return out, r.mistakes
}

func (r *reader) risk(n *yaml.Node) Risk {
	required, optional := fields()
	f := r.mapping(n, "a risk", append(slices.Clone(required), optional...))
	for _, name := range required {
		if f[name] == nil {
			r.wrong(n, "%s is missing", name)
		}
	}
	out := Risk{ID: r.text(f["id"]), Title: r.text(f["title"]), About: r.text(f["about"]), Rank: lifecycle.Rank(r.text(f["rank"])),
		Consequence: r.text(f["consequence"]), Remedy: r.text(f["remedy"]), FixedIn: r.texts(f["fixedIn"]), Sources: r.texts(f["sources"]),
		From: r.versions(f["from"]), To: r.versions(f["to"]), When: r.conditions(f["when"]), Unless: r.conditions(f["unless"]),
		File: r.file, Line: n.Line}
	switch name := strings.TrimSuffix(path.Base(r.file), ".yaml"); {
	case f["id"] == nil:
	case !idForm.MatchString(out.ID):
		r.wrong(f["id"], "id %q: small letters and digits, with hyphens between", out.ID)
	case out.ID != name:
		r.wrong(f["id"], "id %q is not the file's name, %q", out.ID, name)
	}
	if f["rank"] != nil && !slices.Contains(lifecycle.Ranks(), out.Rank) {
		r.wrong(f["rank"], "rank %q: %s, %s or %s", out.Rank, lifecycle.RankBlocks, lifecycle.RankAttention, lifecycle.RankGood)
	}
	for i, s := range out.Sources {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			r.wrong(f["sources"].Content[i], "source %q is not an https address", s)
		}
	}
	if f["sources"] != nil && len(out.Sources) == 0 {
		r.wrong(f["sources"], "at least one source")
	}
	if f["to"] == nil && f["when"] == nil {
		r.wrong(n, "neither to nor when: it would concern everybody, always")
	}
	return out
}

// mapping gives the values of a mapping by their keys. Each key is known, and there once.
func (r *reader) mapping(n *yaml.Node, what string, known []string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n == nil {
		return out
	}
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "%s must be a mapping", what)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			r.wrong(key, "%s has no field %q; there are %s", what, key.Value, strings.Join(known, ", "))
		case out[key.Value] != nil:
			r.wrong(key, "%s is given twice", key.Value)
		default:
			out[key.Value] = value
		}
	}
	return out
}

func (r *reader) text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		r.wrong(n, "a text is wanted here")
		return ""
	}
	return strings.Join(strings.Fields(n.Value), " ")
}

func (r *reader) texts(n *yaml.Node) (out []string) {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.wrong(n, "a list is wanted here")
		return nil
	}
	for _, item := range n.Content {
		out = append(out, r.text(item))
	}
	return out
}

func (r *reader) versions(n *yaml.Node) (out Versions) {
	f := r.mapping(n, "a range of versions", []string{"since", "before"})
	out.Since, out.Before = r.version(f["since"]), r.version(f["before"])
	switch {
	case n == nil:
	case out.IsZero():
		r.wrong(n, "a range has since, before, or both")
	case !out.Since.IsZero() && !out.Before.IsZero() && !out.Since.Less(out.Before):
		r.wrong(n, "no version is in this range")
	}
	return out
}

func (r *reader) version(n *yaml.Node) lifecycle.Version {
	s := r.text(n)
	if s == "" {
		return lifecycle.Version{}
	}
	v, err := parseVersion(s)
	if err != nil {
		r.wrong(n, "%v", err)
	}
	return v
}

// parseVersion reads "v1.36" or a whole version of k0s.
func parseVersion(s string) (lifecycle.Version, error) {
	if m := minorForm.FindStringSubmatch(s); m != nil {
		major, _ := strconv.Atoi(m[1]) // the form admits digits only
		minor, _ := strconv.Atoi(m[2])
		return lifecycle.Version{Major: major, Minor: minor}, nil
	}
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		return v, errors.New(`"` + s + `" is no version of k0s; the form is v1.36 or v1.36.3+k0s.2`)
	}
	return v, nil
}

// conditions reads a list of conditions: each a mapping of its kind to its arguments.
func (r *reader) conditions(n *yaml.Node) (out []Condition) {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.wrong(n, "a list of conditions is wanted here")
		return nil
	}
	for _, item := range n.Content {
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 {
			r.wrong(item, "a condition is one kind with its arguments, such as dropIn: {form: 2}")
			continue
		}
		out = append(out, r.condition(item.Content[0], item.Content[1]))
	}
	return out
}

func (r *reader) condition(key, value *yaml.Node) Condition {
	if key.Value == kindAny {
		return Condition{Kind: kindAny, Any: r.conditions(value)}
	}
	row, ok := rowOf(key.Value)
	if !ok {
		r.wrong(key, "there is no condition %q; there are %s", key.Value, strings.Join(kinds(), ", "))
		return Condition{}
	}
	var names []string
	for _, a := range row.args {
		names = append(names, a.name)
	}
	f := r.mapping(value, key.Value, names)
	c := Condition{Kind: key.Value, Args: map[string][]string{}}
	for _, a := range row.args {
		switch v := f[a.name]; {
		case v == nil && a.required:
			r.wrong(value, "%s needs %s", key.Value, a.name)
		case v == nil:
		case a.list:
			c.Args[a.name] = r.texts(v)
		default:
			c.Args[a.name] = []string{r.text(v)}
		}
		for i, given := range c.Args[a.name] {
			if a.form != nil && !a.form.MatchString(given) {
				at := f[a.name]
				if a.list && i < len(at.Content) {
					at = at.Content[i]
				}
				r.wrong(at, "%s of %s can't be %q: %s", a.name, key.Value, given, a.means)
			}
		}
	}
	return c
}
