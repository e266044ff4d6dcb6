package site

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// holdsDocument is the form of the file that says which failures hold no site any more.
type holdsDocument struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	Spec       holdsSpec `yaml:"spec"`
}

type holdsSpec struct {
	Lifted []liftSpec `yaml:"lifted"`
}

// liftSpec is a lifecycle.Lift; At is in RFC 3339.
type liftSpec struct {
	Failure string `yaml:"failure"`
	By      string `yaml:"by"`
	Why     string `yaml:"why"`
	At      string `yaml:"at"`
}

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{10}$`)

// ReadLifts reads which failures hold no site any more: the file at the fleet's root, which need not be there.
func ReadLifts(fleetDir string) ([]lifecycle.Lift, lifecycle.Diagnostics) {
	_, d, ds := readHolds(fleetDir)
	if ds.Err() != nil {
		return nil, ds
	}
	var out []lifecycle.Lift
	for _, l := range d.Spec.Lifted {
		at, err := time.Parse(time.RFC3339, l.At)
		if err != nil { // it was checked
			return nil, lifecycle.AsDiagnostics(err, lifecycle.HoldsFile)
		}
		out = append(out, lifecycle.Lift{Failure: l.Failure, By: l.By, Why: l.Why, At: at})
	}
	return out, ds
}

// Lifted is the file with one more lift. What stands there stays, with its comments.
func Lifted(fleetDir string, l lifecycle.Lift) ([]byte, error) {
	doc, _, ds := readHolds(fleetDir)
	if ds.Err() != nil {
		return nil, ds.Err()
	}
	if doc == nil {
		doc = new(yaml.Node)
		head := holdsDocument{APIVersion: overlay.APIKiban, Kind: overlay.KindHolds}
		if err := doc.Encode(head); err != nil {
			return nil, err
		}
	}
	if err := appendLift(doc, liftSpec{l.Failure, l.By, l.Why, l.At.UTC().Format(time.RFC3339)}); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := cmp.Or(enc.Encode(doc), enc.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func appendLift(doc *yaml.Node, l liftSpec) error {
	entry := new(yaml.Node)
	if err := entry.Encode(l); err != nil {
		return err
	}
	list := child(child(doc, "spec", yaml.MappingNode), "lifted", yaml.SequenceNode)
	list.Style = 0 // a list in one line grows unreadable
	list.Content = append(list.Content, entry)
	return nil
}

// child is the value of a mapping's key, made where there is none.
func child(m *yaml.Node, key string, kind yaml.Kind) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			if v := m.Content[i+1]; v.Kind == kind {
				return v
			}
			m.Content[i+1] = &yaml.Node{Kind: kind} // null
			return m.Content[i+1]
		}
	}
	v := &yaml.Node{Kind: kind}
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, v)
	return v
}

func readHolds(fleetDir string) (doc *yaml.Node, d holdsDocument, ds lifecycle.Diagnostics) {
	content, ds := readRootFile(fleetDir, lifecycle.HoldsFile)
	if content == nil || ds.Err() != nil {
		return nil, d, ds
	}
	doc, ds = decodeRootFile(rootFile{lifecycle.HoldsFile, overlay.KindHolds}, content, &d, func() []finding { return checkHolds(d) })
	return doc, d, ds
}

// checkHolds applies the rules about the file.
func checkHolds(d holdsDocument) []finding {
	found := checkRootHead(rootFile{lifecycle.HoldsFile, overlay.KindHolds}, d.APIVersion, d.Kind)
	for i, l := range d.Spec.Lifted {
		at := func(key string) overlay.Place {
			return overlay.Place{Kind: overlay.KindHolds, Path: []string{"spec", "lifted", overlay.Index(i), key}}
		}
		if !fingerprintForm.MatchString(l.Failure) {
			found = append(found, wrong(at("failure"), fmt.Sprintf("%q is no fingerprint of a failure", l.Failure), "",
				"Take it from `kiban fleet holds`: 10 hex digits."))
		}
		if _, err := time.Parse(time.RFC3339, l.At); err != nil {
			found = append(found, wrong(at("at"), fmt.Sprintf("%q is no time", l.At), "Failures after it hold again.",
				"Write it as 2026-11-30T05:12:00Z, in quotes. `kiban fleet holds lift` does."))
		}
		if l.By == "" || l.Why == "" {
			found = append(found, wrong(at("why"), "who lifted it and why is not said", "It is the record of a decision.",
				"Write `by` and `why`. `kiban fleet holds lift` does."))
		}
	}
	return found
}
