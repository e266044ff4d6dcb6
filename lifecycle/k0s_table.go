package lifecycle

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed k0s_fields.txt
var k0sFieldsText string

//go:embed kubelet_fields.txt
var kubeletFieldsText string

//go:embed k0s_changes.txt
var k0sChangesText string

// K0sForm is what the value of a field of k0s's configuration looks like.
type K0sForm string

const (
	K0sText     K0sForm = "text"
	K0sNumber   K0sForm = "number"
	K0sBool     K0sForm = "bool"
	K0sDuration K0sForm = "duration"
	K0sTexts    K0sForm = "texts"   // a list of text
	K0sMap      K0sForm = "map"     // text by name
	K0sImage    K0sForm = "image"   // {image, version}
	K0sPatches  K0sForm = "patches" // patches of objects that k0s applies
	K0sKubelet  K0sForm = "kubelet" // a kubelet's configuration
	K0sTimeout  K0sForm = "timeout" // a duration, or a number of seconds
	K0sDecimal  K0sForm = "decimal"
	K0sGates    K0sForm = "gates"   // true or false by name
	K0sAddress  K0sForm = "address" // an IP address
	K0sAny      K0sForm = "any"     // whatever it is
)

// K0sField is one field of k0s's own configuration, spec.k0s.config of the Cluster.
type K0sField struct {
	// Path is where it is, "spec.network.podCIDR"; "[]" stands for each item of a list.
	Path string
	Form K0sForm
	// Since is the first minor release of k0s 1 that knows it; 0 is 28 or before.
	Since int
	// Enum are the values that it may have; nil: any.
	Enum []string
	// Default is what k0s does where it is left out; "" where that is nothing, or depends on the machine.
	Default string
	// Is is what a value has to be beyond its form, by a word; each item of a list, each value of a map. "1..255" is a number. "": anything.
	Is string
	// Keys are those that a map may have; nil: any.
	Keys []string
	// Required says that whoever writes the object that it is in must write it, too.
	Required bool
	// Gone says that k0s accepts it and does nothing with it. Secret says that its value is a credential.
	Gone, Secret bool
	// Reserved says that k0s sets it itself and refuses another's value.
	Reserved bool
}

// K0sFields are the fields of k0s's configuration, in the order of their table.
func K0sFields() []K0sField { return fieldTable(k0sFieldsText) }

// KubeletFields are the fields of a kubelet's configuration, which worker profiles hold.
func KubeletFields() []K0sField { return fieldTable(kubeletFieldsText) }

func fieldTable(text string) []K0sField {
	var out []K0sField
	for line := range tableLines(text) {
		words := strings.Fields(line)
		f := K0sField{Path: words[0], Form: K0sForm(words[1])}
		for _, w := range words[2:] {
			key, value, _ := strings.Cut(w, "=")
			switch key {
			case "since":
				minor, err := strconv.Atoi(strings.TrimPrefix(value, "1."))
				if err != nil {
					panic("lifecycle: k0s_fields.txt: " + line)
				}
				f.Since = minor
			case "enum":
				f.Enum = strings.Split(value, ",")
			case "default":
				f.Default = value
			case "is":
				f.Is = value
			case "keys":
				f.Keys = strings.Split(value, ",")
			case "required":
				f.Required = true
			case "gone":
				f.Gone = true
			case "secret":
				f.Secret = true
			case "reserved":
				f.Reserved = true
			default:
				panic("lifecycle: k0s_fields.txt: " + line)
			}
		}
		out = append(out, f)
	}
	return out
}

// IsK0sField reports whether a path is one of k0s's configuration, and none of an argument or a host.
func IsK0sField(path string) bool { return strings.HasPrefix(path, "spec.") }

// ChangeClass says what becomes of a change of something declared, on a cluster and a machine that live.
type ChangeClass string

const (
	ChangesInPlace        ChangeClass = "in place"             // nothing is restarted
	ChangesByRestart      ChangeClass = "restarts"             // k0s is restarted
	ChangesAtRegistration ChangeClass = "only at registration" // it acts when a node registers or a cluster is first set up
	ChangesNever          ChangeClass = "never"                // it is refused
	ChangesUnknown        ChangeClass = "not known"            // it is carried out, and the plan says that its effect is not known
)

// DeclaredClass is a row of the table of what can change.
type DeclaredClass struct {
	// Path is what it is about: a field of k0s's configuration ("spec.api.port"), an argument of `k0s install` ("--profile"), one of those
	// within --kubelet-extra-args ("--kubelet-extra-args --root-dir"), or a field of a host ("host.dataDir"). All below it is meant, too.
	Path  string
	Class ChangeClass
	// Why and Way are sentences for people; "" where a change is as it seems. SITE and NODE stand for the names.
	Why, Way string
}

// DeclaredClasses is the table of what can change, and how.
type DeclaredClasses []DeclaredClass

// ChangeTable reads the table.
func ChangeTable() DeclaredClasses {
	var out DeclaredClasses
	for line := range tableLines(k0sChangesText) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			panic("lifecycle: k0s_changes.txt: " + line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, DeclaredClass{cells[0], ChangeClass(cells[1]), cells[2], cells[3]})
	}
	return out
}

// Of is the row that counts for a path: the longest one that it is, or is below. Items of lists are "[0]". What no row is about is not
// known.
func (t DeclaredClasses) Of(path string) DeclaredClass {
	best := DeclaredClass{Path: path, Class: ChangesUnknown, Why: "kiban does not know it."}
	found := -1
	for _, row := range t {
		if len(row.Path) > found && within(path, row.Path) {
			best, found = row, len(row.Path)
		}
	}
	return best
}

// OfArgument is the row for an argument of `k0s install`, "--flag=value".
func (t DeclaredClasses) OfArgument(argument string) DeclaredClass {
	name, _, _ := strings.Cut(argument, "=")
	return t.Of(name)
}

// Knows reports whether a row is about the argument of `k0s install` of that name, "--profile".
func (t DeclaredClasses) Knows(flag string) bool {
	return slices.ContainsFunc(t, func(row DeclaredClass) bool { return row.Path == flag })
}

func within(path, row string) bool {
	rest, ok := strings.CutPrefix(path, row)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[' || rest[0] == ' ')
}

// Told is the row in words, for a plan: "why. The way." with the names filled in.
func (c DeclaredClass) Told(site, node string) (why, way string) {
	names := strings.NewReplacer("SITE", site, "NODE", node)
	return c.Why, names.Replace(c.Way)
}

// tableLines are the lines of a table but for comments and empty ones.
func tableLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}

// String is the row as one line.
func (c DeclaredClass) String() string { return fmt.Sprintf("%s: %s", c.Path, c.Class) }
