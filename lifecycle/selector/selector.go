// Package selector picks sites by their labels, in the syntax that kubectl has for -l: that of Kubernetes' own parser.
package selector

import (
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"kiban.dev/kiban/lifecycle"
)

// Prefix is that of the labels that each site has by itself. A Site document that sets one of them says nothing by it.
const Prefix = "kiban.dev/"

// The labels that each site has by itself: its overlay's folder, its wave, and who runs its machines.
const (
	Name     = Prefix + "name"
	Wave     = Prefix + "wave"
	Provider = Prefix + "provider"
)

// Form says what a selector may be, for hints.
const Form = "Write label=value, label!=value, 'label in (a,b)', 'label notin (a,b)', label, or '!label'; " +
	"commas between them mean and: tier=production,region!=eu. " +
	"Beside the labels of its Site, each site has " + Name + ", " + Wave + " and " + Provider + "."

// Selector is a condition on labels. The zero value matches every site.
type Selector struct {
	text string
	of   labels.Selector
}

// Parse reads a selector. One that says nothing is an error: whoever means all sites gives none.
func Parse(text string) (Selector, error) {
	if strings.TrimSpace(text) == "" {
		return Selector{}, lifecycle.Errorf("", "the selector of sites is empty").
			Because("It may come from a variable that is empty here.").Try(Form)
	}
	of, err := labels.Parse(text)
	if err != nil {
		return Selector{}, lifecycle.Errorf("", "%q selects no sites: it can't be read", lifecycle.OneLine(text)).
			Because(lifecycle.OneLine(err.Error()) + ".").Try(Form)
	}
	return Selector{text: lifecycle.OneLine(text), of: of}, nil
}

// String is the selector as it was given.
func (s Selector) String() string { return s.text }

// All reports whether it matches every site because it says nothing.
func (s Selector) All() bool { return s.of == nil }

// Matches reports whether a site's labels meet the condition. Of a site that could not be read they are not known: whoever asks decides.
func (s Selector) Matches(site lifecycle.Site) bool {
	return s.All() || s.of.Matches(labels.Set(Labels(site)))
}

// Labels are those that a site is selected by: its own, and those that each has by itself.
func Labels(site lifecycle.Site) map[string]string {
	out := map[string]string{}
	maps.Copy(out, site.Labels)
	out[Name], out[Wave], out[Provider] = site.Name, fmt.Sprint(site.Wave), string(site.Provider)
	return out
}
