package main

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// spec is what a feature gate is in one minor.
type spec struct {
	Stage  string
	On     bool
	Locked bool
	// Goes is the minor in which the source says that it will be removed: "1.39".
	Goes string
	// Needs are gates that have to be on where this one is.
	Needs []string
}

// gatePackages register the gates of the control plane and of the kubelet. All of Kubernetes' programs import the first, which imports the
// others or adds their gates to its own, so that each program knows all of them.
func gatePackages() map[string][]string {
	return map[string][]string{
		"k8s.io/kubernetes/pkg/features":              {"defaultKubernetesFeatureGates", "defaultVersionedKubernetesFeatureGates"},
		"k8s.io/apiserver/pkg/features":               {"defaultKubernetesFeatureGates", "defaultVersionedKubernetesFeatureGates"},
		"k8s.io/apiextensions-apiserver/pkg/features": {"defaultKubernetesFeatureGates", "defaultVersionedKubernetesFeatureGates"},
		"k8s.io/client-go/features":                   {"defaultKubernetesFeatureGates", "defaultVersionedKubernetesFeatureGates"},
		"k8s.io/controller-manager/pkg/features":      {"cloudPublicFeatureGates", "versionedCloudPublicFeatureGates"},
		"k8s.io/component-base/logs/api/v1":           {"featureGates"},
		"k8s.io/component-base/metrics/features":      {"featureGates"},
		"k8s.io/component-base/zpages/features":       {"featureGates"},
		"k8s.io/component-base/featuregate":           {"defaultFeatures"},
	}
}

// gates are the feature gates that this minor knows. What a literal says that cannot be read is an error: a gate that is missed is one that
// would be called unknown.
func (s *source) gates() (map[string]spec, []string) {
	out, odd := map[string]spec{}, []string(nil)
	all := gatePackages()
	for _, at := range sortedKeys(all) {
		p := s.pkg(at)
		if p == nil {
			continue
		}
		for _, name := range all[at] {
			lit, f := p.literal(name)
			if lit == nil {
				continue
			}
			for _, e := range lit.Elts {
				kv, _ := e.(*ast.KeyValueExpr)
				gate, ok := s.text(at, f, kv.Key)
				if !ok {
					odd = append(odd, at+": a gate whose name is no literal")
					continue
				}
				got, known := s.spec(at, f, kv.Value)
				if !known {
					continue // it begins with a later minor
				}
				got.Goes = goes(f, kv)
				if _, twice := out[gate]; !twice || at == "k8s.io/kubernetes/pkg/features" {
					out[gate] = got
				}
			}
		}
	}
	s.dependencies(out)
	return out, odd
}

// spec reads {Default: ..., PreRelease: ..., LockToDefault: ...}, or of a list of those with versions the one that holds in this minor: the
// last whose version is reached, as component-base's featureSpecAtEmulationAndMinCompatVersion has it.
func (s *source) spec(at string, f *ast.File, e ast.Expr) (spec, bool) {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return spec{}, false
	}
	if len(lit.Elts) == 0 {
		return spec{Stage: "alpha"}, true
	}
	if _, single := lit.Elts[0].(*ast.KeyValueExpr); single {
		return s.stanza(at, f, lit).spec, true
	}
	for _, item := range slices.Backward(lit.Elts) {
		one := s.stanza(at, f, item.(*ast.CompositeLit))
		if minorOf(one.version) <= minorOf(s.minor) && minorOf(one.compatible) < minorOf(s.minor) {
			return one.spec, true
		}
	}
	return spec{}, false
}

type stanza struct {
	spec
	// compatible is the version that a program must not have to be compatible with before, or "".
	version, compatible string
}

func (s *source) stanza(at string, f *ast.File, lit *ast.CompositeLit) stanza {
	var out stanza
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch key := kv.Key.(*ast.Ident).Name; key {
		case "Default":
			out.On = isTrue(kv.Value)
		case "LockToDefault":
			out.Locked = isTrue(kv.Value)
		case "PreRelease":
			out.Stage = strings.ToLower(lastName(kv.Value))
			if out.Stage == `""` || out.Stage == "" {
				out.Stage = "ga"
			}
		case "Version", "MinCompatibilityVersion":
			if call, ok := kv.Value.(*ast.CallExpr); ok && len(call.Args) == 1 {
				v, _ := s.text(at, f, call.Args[0])
				if key == "Version" {
					out.version = v
				} else {
					out.compatible = v
				}
			}
		}
	}
	if out.Stage == "" {
		out.Stage = "ga"
	}
	return out
}

func isTrue(e ast.Expr) bool { return lastName(e) == "true" }

// lastName is the name in x.Name or Name.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// removal is how the source says when a gate goes: "remove in 1.39", "and then removed (1.39)".
var removal = regexp.MustCompile(`(?i)\bremoved?\b[^.]*?\bv?(1\.[0-9]{2})\b`)

// goes is the minor that a comment beside a gate says that it goes in.
func goes(f *ast.File, e ast.Node) string {
	found := ""
	for _, group := range f.Comments {
		for _, c := range group.List {
			// A comment behind the last line stands after the element's end, on the same line.
			if c.Pos() < e.Pos() || c.Pos() > e.End()+2 {
				continue
			}
			if m := removal.FindStringSubmatch(c.Text); m != nil {
				found = m[1]
			}
		}
	}
	return found
}

// dependencies adds what each gate needs.
func (s *source) dependencies(out map[string]spec) {
	const at = "k8s.io/kubernetes/pkg/features"
	p := s.pkg(at)
	if p == nil {
		return
	}
	lit, f := p.literal("defaultKubernetesFeatureGateDependencies")
	if lit == nil {
		return
	}
	for _, e := range lit.Elts {
		kv := e.(*ast.KeyValueExpr)
		name, _ := s.text(at, f, kv.Key)
		gate, known := out[name]
		needs, ok := kv.Value.(*ast.CompositeLit)
		if !known || !ok {
			continue
		}
		for _, n := range needs.Elts {
			if on, ok := s.text(at, f, n); ok {
				gate.Needs = append(gate.Needs, on)
			}
		}
		slices.Sort(gate.Needs)
		out[name] = gate
	}
}
