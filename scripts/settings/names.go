package main

import (
	"go/ast"
	"slices"
)

// plugins are the admission plugins that kube-apiserver knows in this minor, by the names that its flags take.
func (s *source) plugins() (names, odd []string) {
	const at = "k8s.io/kubernetes/pkg/kubeapiserver/options"
	p := s.pkg(at)
	if p == nil {
		return nil, []string{at + " is not there"}
	}
	lit, f := p.literal("AllOrderedPlugins")
	if lit == nil {
		return nil, []string{at + " has no AllOrderedPlugins"}
	}
	for _, e := range lit.Elts {
		name, ok := s.text(at, f, e)
		if !ok {
			odd = append(odd, at+": an admission plugin whose name is no literal")
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, odd
}

// controllers are the names that --controllers of kube-controller-manager takes in this minor, old ones included: its own, and those of
// cloud providers that it uses.
func (s *source) controllers() []string {
	const (
		app   = "k8s.io/kubernetes/cmd/kube-controller-manager/app"
		own   = "k8s.io/kubernetes/cmd/kube-controller-manager/names"
		cloud = "k8s.io/cloud-provider/names"
	)
	var names []string
	if p := s.pkg(own); p != nil {
		for name, value := range p.consts {
			if text, ok := s.text(own, p.in[name], value); ok {
				names = append(names, text)
			}
		}
	}
	p := s.pkg(app)
	if p == nil {
		return nil
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && imported(f, x.Name) == cloud {
					if text, ok := s.text(app, f, n); ok {
						names = append(names, text)
					}
				}
			case *ast.KeyValueExpr:
				lit, ok := n.Value.(*ast.CompositeLit)
				if lastName(n.Key) != "aliases" || !ok {
					return true
				}
				for _, e := range lit.Elts {
					if text, ok := s.text(app, f, e); ok {
						names = append(names, text)
					}
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}
