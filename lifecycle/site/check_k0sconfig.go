package site

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// schema is a place in k0s's configuration: an object with its fields, a list with what its items are, or a value.
type schema struct {
	field  lifecycle.K0sField
	fields map[string]*schema
	item   *schema
	leaf   bool
	// free: whatever stands below is not looked at.
	free bool
}

// schemaOf makes a tree of a table of fields.
func schemaOf(fields []lifecycle.K0sField) *schema {
	root := &schema{}
	for _, f := range fields {
		at := root
		for step := range strings.SplitSeq(f.Path, ".") {
			name, list := strings.CutSuffix(step, "[]")
			if at.fields == nil {
				at.fields = map[string]*schema{}
			}
			if at.fields[name] == nil {
				at.fields[name] = &schema{}
			}
			if at = at.fields[name]; list {
				if at.item == nil {
					at.item = &schema{}
				}
				at = at.item
			}
		}
		at.field, at.leaf = f, true
	}
	return root
}

// shapes are the forms that are objects of their own.
func shapes(f lifecycle.K0sField) *schema {
	text := func(names ...string) *schema {
		s := &schema{fields: map[string]*schema{}}
		for _, n := range names {
			s.fields[n] = &schema{leaf: true, field: lifecycle.K0sField{Path: n, Form: lifecycle.K0sText}}
		}
		return s
	}
	switch f.Form {
	case lifecycle.K0sImage:
		image := text("image", "version")
		image.fields["image"].field.Is, image.fields["version"].field.Is = "image", "tag"
		return image
	case lifecycle.K0sPatches:
		patch, target := text("content", "type"), text("kind", "name", "namespace")
		patch.fields["type"].field.Enum = []string{"JSON", "StrategicMergePatch", "MergePatch"}
		patch.fields["type"].field.Required = true
		target.fields["kind"].field.Required, target.fields["name"].field.Required = true, true
		return &schema{item: &schema{fields: map[string]*schema{"patch": patch, "target": target}}}
	case lifecycle.K0sKubelet:
		s := schemaOf(lifecycle.KubeletFields())
		for _, n := range []string{"apiVersion", "kind"} {
			s.fields[n] = &schema{leaf: true, field: lifecycle.K0sField{Form: lifecycle.K0sText}}
		}
		return s
	default:
		return nil
	}
}

// checkK0sConfig holds k0s's configuration against its schema, as the declared version has it. k0s itself looks at it on the first
// controller only, in the middle of an apply, and passes over what it does not know in some places.
func checkK0sConfig(c clusterDocument, doc *yaml.Node) []finding {
	n := overlay.Field(doc, "spec", "k0s", "config")
	if n == nil {
		return nil
	}
	root := schemaOf(lifecycle.K0sFields())
	root.fields["apiVersion"] = &schema{leaf: true, field: lifecycle.K0sField{Form: lifecycle.K0sText,
		Enum: []string{"k0s.k0sproject.io/v1beta1"}}}
	root.fields["kind"] = &schema{leaf: true, field: lifecycle.K0sField{Form: lifecycle.K0sText,
		Enum: []string{"ClusterConfig", "Cluster"}}} // Cluster: as k0sctl's own init prints it, and k0s takes it
	root.fields["metadata"], root.fields["status"] = &schema{free: true}, &schema{free: true}
	k := k0sChecker{}
	if v, err := lifecycle.ParseVersion(c.Spec.K0s.Version); err == nil {
		k.version = v
	}
	k.check(n, root, nil)
	return k.found
}

type k0sChecker struct {
	version lifecycle.Version
	found   []finding
}

func k0sPlace(at []string) overlay.Place {
	return clusterPlace(append([]string{"spec", "k0s", "config"}, at...)...)
}

func (k *k0sChecker) wrong(at []string, summary, detail, hint string) {
	k.found = append(k.found, wrong(k0sPlace(at), summary, detail, hint))
}

func (k *k0sChecker) check(n *yaml.Node, s *schema, at []string) {
	n = overlay.Resolve(n)
	if n == nil || n.Tag == "!!null" || s.free {
		return
	}
	if s.leaf {
		if shape := shapes(s.field); shape != nil {
			k.check(n, shape, at)
		} else {
			k.value(n, s.field, at)
		}
		return
	}
	switch {
	case s.item != nil && n.Kind != yaml.SequenceNode:
		k.mistyped(n, at, "a list")
	case s.item != nil:
		for i, item := range n.Content {
			k.check(item, s.item, append(at[:len(at):len(at)], overlay.Index(i)))
		}
	case n.Kind != yaml.MappingNode:
		k.mistyped(n, at, "a mapping")
	default:
		k.object(n, s, at)
	}
}

func (k *k0sChecker) object(n *yaml.Node, s *schema, at []string) {
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		below := append(at[:len(at):len(at)], name)
		field, ok := s.fields[name]
		if !ok {
			if field = k.otherCase(name, s, below); field == nil {
				continue
			}
		}
		given[field.field.Path] = !overlay.Empty(overlay.Resolve(n.Content[i+1]))
		if k.known(field, below) {
			k.check(n.Content[i+1], field, below)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if f := s.fields[name].field; f.Required && !given[f.Path] {
			k.wrong(at, fmt.Sprintf("%s has no %s", overlay.Dotted(at), name), "k0s refuses it without.", "Add `"+name+":`.")
		}
	}
}

// otherCase finds the field that a name is but for its capitals: k0s takes it for that, but whoever else reads the document does not.
func (k *k0sChecker) otherCase(name string, s *schema, below []string) *schema {
	known := slices.Sorted(maps.Keys(s.fields))
	for _, other := range known {
		if strings.EqualFold(other, name) {
			k.found = append(k.found, doubtful(k0sPlace(below), fmt.Sprintf("%s is written %s", name, other),
				"k0s reads either; kiban, k0sctl and the cluster's own object know it by its exact name.", "Write "+other+"."))
			return s.fields[other]
		}
	}
	in := "k0s's configuration"
	if len(below) > 1 {
		in = overlay.Dotted(below[:len(below)-1]) + " of " + in
	}
	f := noField(k0sPlace(below), in, known)
	if inner := s.fields["spec"]; len(below) == 1 && inner != nil && inner.fields[name] != nil {
		f.hint = "Write it below spec."
	} else if len(known) > 30 && overlay.Nearest(name, known) == "" {
		f.hint = "See https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."
	}
	k.found = append(k.found, f)
	return nil
}

// known reports whether the declared version does something with a field.
func (k *k0sChecker) known(s *schema, at []string) bool {
	since := s.since()
	switch {
	case s.leaf && s.field.Gone:
		k.found = append(k.found, doubtful(k0sPlace(at), overlay.Dotted(at)+" has no effect", "k0s accepts it and does nothing with it.",
			"Remove it."))
		return false
	case s.leaf && s.field.Reserved:
		k.wrong(at, overlay.Dotted(at)+" may not be set in a worker profile", "k0s sets it itself, and refuses another value.", "Remove it.")
		return false
	case since > 0 && !k.version.IsZero() && k.version.Major == 1 && k.version.Minor < since:
		k.wrong(at, fmt.Sprintf("k0s %s does not know %s", k.version, overlay.Dotted(at)), fmt.Sprintf("It is there since 1.%d.", since),
			"Remove it, or declare it together with that version.")
		return false
	}
	return true
}

// since is the first minor version that knows the field, or any field below it.
func (s *schema) since() int {
	switch {
	case s.leaf:
		return s.field.Since
	case s.item != nil:
		return s.item.since()
	}
	lowest := -1
	for _, f := range s.fields {
		if v := f.since(); lowest < 0 || v < lowest {
			lowest = v
		}
	}
	return max(lowest, 0)
}

func (k *k0sChecker) mistyped(n *yaml.Node, at []string, want string) {
	got := nodeInWords(n)
	where := overlay.Dotted(at)
	if where == "" {
		where = "k0s's configuration"
	}
	hint := "Correct the value."
	if n.Kind == yaml.ScalarNode && confidential(at) {
		k.wrong(at, fmt.Sprintf("%s must be %s", where, want), "k0s refuses it.", hint+" It is not shown here, for it may be secret.")
		return
	}
	switch {
	case want == "text" && n.Kind == yaml.ScalarNode:
		hint = fmt.Sprintf("Write it in quotes: %q.", n.Value)
	case want == "true or false" && n.Kind == yaml.ScalarNode:
		hint = "Write true or false, without quotes."
	case want == "a list" && n.Kind == yaml.ScalarNode:
		hint = fmt.Sprintf("Write it as a list: [%s].", n.Value)
	}
	k.wrong(at, fmt.Sprintf("%s must be %s, not %s", where, want, got), "k0s refuses it.", hint)
}

// confidential reports whether the place of a value suggests that it is not to be shown.
func confidential(at []string) bool {
	secret := func(name string) bool {
		return secretName.MatchString(name) || slices.Contains([]string{"authPass", "dataSource", "content"}, name)
	}
	return slices.ContainsFunc(at, secret) || slices.Contains(at, "charts") && slices.Contains(at, "values")
}

// value holds one value against its field.
func (k *k0sChecker) value(n *yaml.Node, f lifecycle.K0sField, at []string) {
	below := func(i int) []string { return append(at[:len(at):len(at)], overlay.Index(i)) }
	text := lifecycle.K0sField{Form: lifecycle.K0sText, Is: f.Is, Enum: f.Enum}
	switch f.Form {
	case lifecycle.K0sAny:
	case lifecycle.K0sTexts:
		if n.Kind != yaml.SequenceNode {
			k.mistyped(n, at, "a list")
			return
		}
		for i, item := range n.Content {
			k.value(overlay.Resolve(item), text, below(i))
		}
	case lifecycle.K0sMap, lifecycle.K0sGates:
		if n.Kind != yaml.MappingNode {
			k.mistyped(n, at, "a mapping")
			return
		}
		if f.Form == lifecycle.K0sGates {
			text.Form = lifecycle.K0sBool
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			entry := append(at[:len(at):len(at)], key)
			k.key(key, f, entry)
			k.value(overlay.Resolve(n.Content[i+1]), text, entry)
		}
	default:
		k.scalar(n, f, at)
	}
}

// scalar holds a single value against its field.
func (k *k0sChecker) scalar(n *yaml.Node, f lifecycle.K0sField, at []string) {
	form := formOf(f.Form)
	switch {
	case n.Tag == "!!null":
		return
	case n.Kind != yaml.ScalarNode || !form.holds(n):
		k.mistyped(n, at, form.says)
		return
	case len(f.Enum) > 0 && n.Value != "" && !slices.Contains(f.Enum, n.Value):
		hint := "Use one of them."
		if near := overlay.Nearest(n.Value, f.Enum); near != "" {
			hint = fmt.Sprintf("Did you mean %q?", near)
		}
		k.wrong(at, fmt.Sprintf("%s can't be %q", overlay.Dotted(at), n.Value), "It can be "+strings.Join(f.Enum, ", ")+".", hint)
	case f.Form == lifecycle.K0sNumber && strings.HasSuffix(strings.ToLower(at[len(at)-1]), "port") && !isPort(n.Value, f):
		k.wrong(at, fmt.Sprintf("%s can't be %s", overlay.Dotted(at), n.Value), "It is a port.", "Use a number from 1 to 65535.")
	default:
		k.meant(n, f, at)
	}
}

// isPort reports whether a number is a port. Some fields turn their port off by 0.
func isPort(value string, f lifecycle.K0sField) bool {
	p, err := strconv.Atoi(value)
	return err == nil && p <= 65535 && (p > 0 || p == 0 && f.Default == "")
}

// scalarForm is what a single value has to look like, and how that is said.
type scalarForm struct {
	says  string
	holds func(*yaml.Node) bool
}

// formOf says what values of a form look like. k0s reads its file as YAML 1.1: an unquoted yes is true there.
func formOf(form lifecycle.K0sForm) scalarForm {
	number := func(n *yaml.Node) bool { return n.Tag == "!!int" }
	quoted := func(n *yaml.Node) bool { return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 }
	duration := func(n *yaml.Node) bool {
		_, err := time.ParseDuration(n.Value)
		return err == nil && !number(n)
	}
	switch form {
	case lifecycle.K0sNumber:
		return scalarForm{"a whole number", number}
	case lifecycle.K0sDecimal:
		return scalarForm{"a number", func(n *yaml.Node) bool { return number(n) || n.Tag == "!!float" }}
	case lifecycle.K0sBool:
		return scalarForm{"true or false", func(n *yaml.Node) bool {
			return n.Tag == "!!bool" || !quoted(n) && slices.Contains([]string{"yes", "no", "on", "off"}, strings.ToLower(n.Value))
		}}
	case lifecycle.K0sAddress:
		return scalarForm{"an IP address", func(n *yaml.Node) bool {
			_, err := netip.ParseAddr(n.Value)
			return err == nil || n.Value == ""
		}}
	case lifecycle.K0sDuration:
		return scalarForm{"a duration such as 30s", duration}
	case lifecycle.K0sTimeout:
		return scalarForm{"a duration such as 10m", func(n *yaml.Node) bool { return number(n) || duration(n) }}
	default:
		return scalarForm{"text", func(n *yaml.Node) bool {
			return n.Tag == "!!str" || n.Tag == "!!timestamp" || n.Tag == "!!binary" || quoted(n)
		}}
	}
}
