// Package risks holds what is known to go wrong with versions of k0s, Kubernetes, containerd, MetalLB, Argo CD and Datadog, as data: one
// risk a file, with what must be true at a site for it to matter there, what happens then, and where that is written. The conditions are a
// closed set (conditions.go), each over facts that kiban has anyway, so that a risk file can do nothing but ask. A fleet may have its own.
package risks

import (
	"embed"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

//go:embed *.yaml components.txt
var files embed.FS

// Risk is something that is known to go wrong with certain versions.
type Risk struct {
	// ID is its name, which is that of its file: "k0s-containerd-drop-ins". Title says in one line what happens.
	ID, Title string
	// About is what it is a risk of: "k0s", "kubernetes", "containerd", "metallb", "argo-cd", "datadog", or anything else.
	About string
	Rank  lifecycle.Rank
	// From are the versions of k0s that it concerns sites of, To those that bring it. Zero: any, and of From any that is not in To.
	From, To Versions
	// When must all hold, and none of Unless.
	When, Unless []Condition
	// Consequence says more of what happens, Remedy what to do.
	Consequence, Remedy string
	// FixedIn are versions, of whatever it is about, that no longer have it.
	FixedIn []string
	// Sources are the https addresses of what it is known from.
	Sources []string
	// File and Line are where it stands.
	File string
	Line int
}

// Versions are those of k0s from one on and before another. "v1.36" stands for the whole minor release.
type Versions struct{ Since, Before lifecycle.Version }

// IsZero reports whether nothing is said.
func (v Versions) IsZero() bool { return v == Versions{} }

// Has reports whether a version is among them.
func (v Versions) Has(x lifecycle.Version) bool {
	f := lifecycle.HostFile{Since: v.Since, Until: v.Before}
	return !x.IsZero() && f.Fits(x)
}

// Known are the risks that kiban comes with, sorted by name. That they can be read is held by a test.
func Known() []Risk {
	entries, _ := files.ReadDir(".") // of files that are part of the program
	var out []Risk
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		text, _ := files.ReadFile(e.Name())
		if r, mistakes := Read(e.Name(), text); len(mistakes) == 0 {
			out = append(out, r)
		}
	}
	return out
}

// Find is the known risk of a name.
func Find(id string) (Risk, bool) {
	all := Known()
	i := slices.IndexFunc(all, func(r Risk) bool { return r.ID == id })
	if i < 0 {
		return Risk{}, false
	}
	return all[i], true
}
