package risks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Condition is something that must be true of a site.
type Condition struct {
	// Kind is one of the table's, or "any": then one of Any must hold.
	Kind string
	Args map[string][]string
	Any  []Condition
}

const kindAny = "any"

// arg is the one value of an argument; "" where it is not given.
func (c Condition) arg(name string) string {
	if v := c.Args[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// kindRow is all that there is to know of a kind of condition. A new kind is one row.
type kindRow struct {
	kind string
	// means says what must be true, in words.
	means string
	args  []argRow
	holds func(c Condition, f Facts) verdict
}

type argRow struct {
	name           string
	means          string
	required, list bool
	// form is what a value must look like; nil for any text.
	form *regexp.Regexp
}

// What values of arguments look like.
var (
	releaseForm   = regexp.MustCompile(`^v?\d+(\.\d+)*(-[0-9A-Za-z.]+)?$`)
	componentForm = regexp.MustCompile(`^(` + strings.Join(components(), "|") + `)$`)
	pathForm      = regexp.MustCompile(`^[A-Za-z0-9_-]+(\[\*\])?(\.[A-Za-z0-9_-]+(\[\*\])?)*$`)
	dropInForm    = regexp.MustCompile(`^[23]$`)
	cgroupForm    = regexp.MustCompile(`^v[12]$`)
	archForm      = regexp.MustCompile(`^(amd64|arm64|arm)$`)
	flagForm      = regexp.MustCompile(`^--[a-z0-9-]+$`)
	countForm     = regexp.MustCompile(`^[0-9]$`)
	providerForm  = regexp.MustCompile(`^(k0s|external)$`)
)

// kindRows is the table of conditions.
func kindRows() []kindRow {
	since := argRow{name: "since", means: "the first version that it is true of, such as 1.7.29", form: releaseForm}
	before := argRow{name: "before", means: "the first version that it is no longer true of, such as 2.0.0", form: releaseForm}
	component := argRow{name: "component", means: strings.Join(components(), ", "), required: true,
		form: componentForm}
	path := argRow{name: "path", means: "the path of a field, [*] for every item of a list", required: true,
		form: pathForm}
	is := argRow{name: "is", means: "the values that count; left out, any", list: true}
	chart := argRow{name: "name", means: "the chart's name", required: true}
	return []kindRow{
		{"dropIn", "a machine has a drop-in of containerd of that form, and the site declares no other for the target",
			[]argRow{{name: "form", means: "2 or 3, containerd's `version`", required: true, form: dropInForm}}, dropIn},
		{"cgroup", "a machine with a kubelet runs that version of cgroups",
			[]argRow{{name: "version", means: "v1 or v2", required: true, form: cgroupForm}}, cgroup},
		{"kernel", "a machine runs such a kernel", []argRow{since, before}, kernel},
		{"os", "a machine runs one of these distributions",
			[]argRow{{name: "is", means: "IDs as os-release(5) has them", required: true, list: true}}, distribution},
		{"arch", "a machine is of one of these architectures",
			[]argRow{{name: "is", means: "amd64, arm64, arm", required: true, list: true, form: archForm}}, arch},
		{"argument", "a machine's k0s is declared to be given an argument",
			[]argRow{{name: "name", means: "with its hyphens: --kubelet-extra-args", required: true, form: flagForm},
				{name: "contains", means: "a text that its value contains"}}, argument},
		{"setting", "the declared configuration of k0s has a value", []argRow{path, is,
			{name: "default", means: "what k0s does where it is left out"}}, setting},
		{"chart", "an addon declares such a version of a chart", []argRow{chart, since, before}, chartOf},
		{"release", "the cluster has such a release of a chart", []argRow{chart, since, before}, releaseOf},
		{"value", "an addon gives its chart a value", []argRow{{name: "chart", means: "the chart's name", required: true}, path, is}, valueOf},
		{"object", "the repository declares an object of a kind", []argRow{
			{name: "kind", means: "kinds of objects; left out, any", list: true},
			{name: "key", means: "a field of that name, anywhere in it; one of these", list: true}}, object},
		{"brings", "the target carries such a version of a component", []argRow{component, since, before}, brings},
		{"leaves", "the oldest k0s of the site carries such a version of a component", []argRow{component, since, before}, leaves},
		{"members", "etcd has so many members",
			[]argRow{{name: "atLeast", means: "a number", required: true, form: countForm}}, members},
		{"provider", "the machines are run by", []argRow{{name: "is", means: "k0s (kiban runs them) or external", required: true,
			form: providerForm}}, provider},
	}
}

func rowOf(kind string) (kindRow, bool) {
	for _, row := range kindRows() {
		if row.kind == kind {
			return row, true
		}
	}
	return kindRow{}, false
}

// kinds are the names of all conditions.
func kinds() []string {
	out := []string{kindAny}
	for _, row := range kindRows() {
		out = append(out, row.kind)
	}
	return out
}

// String is the condition for people: "dropIn (form 2)".
func (c Condition) String() string {
	if c.Kind == kindAny {
		var parts []string
		for _, a := range c.Any {
			parts = append(parts, a.String())
		}
		return strings.Join(parts, ", or ")
	}
	row, _ := rowOf(c.Kind)
	var args []string
	for _, a := range row.args {
		if v := c.Args[a.name]; len(v) > 0 {
			args = append(args, a.name+" "+strings.Join(v, "|"))
		}
	}
	return fmt.Sprintf("%s (%s)", row.means, strings.Join(args, ", "))
}

// answer is whether something is true.
type answer int

const (
	unknown answer = iota
	yes
	no
)

func answerOf(b bool) answer {
	if b {
		return yes
	}
	return no
}

// verdict is what a condition comes to.
type verdict struct {
	answer
	// machines are those that it is true of, where it is about machines; addon is the addon's name, where it is about one.
	about    bool
	machines []string
	addon    string
	// seen is the evidence. why says why it is not known.
	seen []string
	why  string
}

// both combines two that must hold: of machines, on the same one.
func both(a, b verdict) verdict {
	out := verdict{answer: a.answer, about: a.about || b.about, machines: a.machines, addon: a.addon, why: a.why,
		seen: append(slices.Clone(a.seen), b.seen...)}
	if out.addon == "" {
		out.addon = b.addon
	}
	switch {
	case a.answer == no || b.answer == no:
		return verdict{answer: no}
	case a.about && b.about:
		out.machines = slices.DeleteFunc(slices.Clone(a.machines), func(m string) bool { return !slices.Contains(b.machines, m) })
		if len(out.machines) == 0 && a.answer == yes && b.answer == yes {
			return verdict{answer: no}
		}
	case b.about:
		out.machines = b.machines
	}
	if b.answer == unknown && a.answer != unknown {
		out.answer, out.why = unknown, b.why
	}
	return out
}

// either combines two of which one must hold.
func either(a, b verdict) verdict {
	switch {
	case a.answer == yes && b.answer == yes:
		a.machines, a.seen = append(slices.Clone(a.machines), b.machines...), append(slices.Clone(a.seen), b.seen...)
		return a
	case a.answer == yes || b.answer == no:
		return a
	case b.answer == yes || a.answer == no:
		return b
	}
	return a
}

func all(cs []Condition, f Facts) verdict {
	out := verdict{answer: yes}
	for _, c := range cs {
		if out = both(out, c.holds(f)); out.answer == no {
			return out
		}
	}
	return out
}

func one(cs []Condition, f Facts) verdict {
	out := verdict{answer: no}
	for _, c := range cs {
		out = either(out, c.holds(f))
	}
	return out
}

func (c Condition) holds(f Facts) verdict {
	if c.Kind == kindAny {
		return one(c.Any, f)
	}
	row, ok := rowOf(c.Kind)
	if !ok {
		return verdict{answer: no}
	}
	return row.holds(c, f)
}

// Facts are what a risk may ask about.
type Facts struct {
	Site  lifecycle.Site
	State lifecycle.State
	// Target is the version that the site would have.
	Target lifecycle.Version
}
