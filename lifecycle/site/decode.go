package site

import (
	"fmt"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// decodeSite reads a Site document over the defaults. Every unknown field and every value of the wrong form is a finding.
func decodeSite(doc *yaml.Node) (siteDocument, []finding) {
	d := defaults()
	s := strict{document: sitePlace()}
	s.decode(doc, reflect.ValueOf(&d).Elem(), nil)
	return d, s.found
}

// decodeAddon reads an Addon document over the defaults.
func decodeAddon(doc *yaml.Node) (addonDocument, []finding) {
	d := addonDefaults()
	s := strict{document: addonPlace(overlay.Text(overlay.Field(doc, "metadata", "name")))}
	s.decode(doc, reflect.ValueOf(&d).Elem(), nil)
	return d, s.found
}

// decodeTenant reads a Tenant document over the defaults.
func decodeTenant(doc *yaml.Node) (tenantDocument, []finding) {
	d := tenantDefaults()
	s := strict{document: tenantPlace(overlay.Text(overlay.Field(doc, "metadata", "name")))}
	s.decode(doc, reflect.ValueOf(&d).Elem(), nil)
	return d, s.found
}

// strict decodes YAML into structs and says where it can't. The YAML library's own decoder stops at unknown fields without a path,
// and forgets which document of several the line was in.
type strict struct {
	document overlay.Place
	found    []finding
}

func (s *strict) complain(path []string, summary, detail, hint string) {
	at := s.document
	at.Path = path
	f := wrong(at, summary, detail, hint)
	f.unread = true
	s.found = append(s.found, f)
}

// decode sets v from n. null leaves the default.
func (s *strict) decode(n *yaml.Node, v reflect.Value, path []string) {
	n = overlay.Resolve(n)
	if n == nil || n.Tag == "!!null" {
		return
	}
	if own, ok := v.Addr().Interface().(branch); ok {
		if err := own.read(n); err != nil {
			s.complain(path, fmt.Sprintf("%s can't be read", overlay.Dotted(path)), err.Error(), "Correct the value.")
		}
		return
	}
	if own, ok := v.Addr().Interface().(value); ok {
		if n.Kind != yaml.ScalarNode {
			s.mistyped(n, path, "a single value")
		} else if err := own.parse(n.Value); err != nil {
			s.complain(path, fmt.Sprintf("%s: %q can't be read", overlay.Dotted(path), n.Value), err.Error(), "Correct the value.")
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer: // nil is "not given"
		v.Set(reflect.New(v.Type().Elem()))
		s.decode(n, v.Elem(), path)
	case reflect.Struct:
		s.decodeStruct(n, v, path)
	case reflect.Map:
		s.decodeMap(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			s.mistyped(n, path, "a list")
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, item := range n.Content {
			s.decode(item, list.Index(i), append(path[:len(path):len(path)], segment(v.Type().Elem(), item, i)))
		}
		v.Set(list)
	default:
		s.decodeScalar(n, v, path)
	}
}

// segment names an item: by its name where lists of its kind merge by name, as schema.json says, else by its number.
func segment(t reflect.Type, item *yaml.Node, i int) string {
	name := overlay.Text(overlay.Field(item, "name"))
	if t.Kind() != reflect.Struct || t.Field(0).Tag.Get("yaml") != "name" || name == "" {
		return overlay.Index(i)
	}
	return "[name=" + name + "]"
}

func (s *strict) decodeStruct(n *yaml.Node, v reflect.Value, path []string) {
	if n.Kind != yaml.MappingNode {
		s.mistyped(n, path, "a mapping")
		return
	}
	var known []string
	fields := map[string]int{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		fields[name], known = i, append(known, name)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		below := append(path[:len(path):len(path)], name)
		field, ok := fields[name]
		if !ok {
			at := s.document
			at.Path = below
			s.found = append(s.found, noField(at, overlay.Dotted(path), known))
			continue
		}
		s.decode(n.Content[i+1], v.Field(field), below)
	}
}

func (s *strict) decodeMap(n *yaml.Node, v reflect.Value, path []string) {
	if n.Kind != yaml.MappingNode {
		s.mistyped(n, path, "a mapping")
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, below := n.Content[i].Value, append(path[:len(path):len(path)], n.Content[i].Value)
		element := reflect.New(v.Type().Elem()).Elem()
		if item := overlay.Resolve(n.Content[i+1]); element.Kind() == reflect.String && (item.Kind != yaml.ScalarNode || item.Tag == "!!null") {
			s.mistyped(item, below, "a string")
			continue
		}
		s.decode(n.Content[i+1], element, below)
		m.SetMapIndex(reflect.ValueOf(key), element)
	}
	v.Set(m)
}

func (s *strict) decodeScalar(n *yaml.Node, v reflect.Value, path []string) {
	if n.Kind != yaml.ScalarNode {
		s.mistyped(n, path, "a single value")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			s.mistyped(n, path, "a whole number")
			return
		}
		v.SetInt(int64(i))
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if err != nil || n.Tag != "!!bool" {
			s.mistyped(n, path, "true or false")
			return
		}
		v.SetBool(b)
	default:
		panic("site: no decoder for " + v.Type().String()) // a field of the Site's form that nobody taught the decoder: a bug
	}
}

// nodeInWords says what stands in a document: "a list", "a mapping", or the value in quotes.
func nodeInWords(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.ScalarNode:
		return strconv.Quote(n.Value)
	}
	return "a list"
}

func (s *strict) mistyped(n *yaml.Node, path []string, want string) {
	got := nodeInWords(n)
	where := overlay.Dotted(path)
	if where == "" {
		where = "the document"
	}
	s.complain(path, fmt.Sprintf("%s must be %s, not %s", where, want, got), "", "Correct the value.")
}
