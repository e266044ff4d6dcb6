package addons

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// unit is what is declared of a unit, as objects, in its phases.
type unit struct {
	name   string
	addon  *lifecycle.Addon // nil for a tenant and for objects
	tenant *lifecycle.Tenant
	// early is applied first, main is what the chart or the manifests make, late what is tied to the addon.
	early, main, late []lifecycle.Object
	// kept are Secrets whose values are not here, and that the cluster has.
	kept []lifecycle.ObjectRef
	// required are Secrets that must be in the cluster already.
	required []lifecycle.ObjectRef
	needs    []string // units that come first
	rendered lifecycle.Rendering
	caps     lifecycle.Capabilities // that it was rendered for
	ignored  []string
	found    lifecycle.Diagnostics
}

// all are the unit's objects in the order in which they are applied.
func (u *unit) all() []lifecycle.Object { return slices.Concat(u.early, u.main, u.late) }

// namespace is where what names none goes.
func (u *unit) namespace() string {
	switch {
	case u.addon != nil:
		return u.addon.Namespace
	case u.tenant != nil && len(u.tenant.Namespaces) > 0:
		return u.tenant.Namespaces[0].Name
	case u.tenant != nil:
		return u.tenant.Name
	}
	return "default"
}

func (u *unit) chart() *lifecycle.Chart {
	if u.addon == nil {
		return nil
	}
	return u.addon.Chart
}

func (u *unit) ignore() []lifecycle.Ignore {
	if u.addon == nil {
		return nil
	}
	return u.addon.Ignore
}

// digest identifies what is declared: the chart's bytes, each object and each hook, without secret values and volatile fields.
func (u *unit) digest() string {
	if len(u.rendered.Hooks) == 0 {
		return u.objectsDigest()
	}
	h := sha256.New()
	fmt.Fprintln(h, u.objectsDigest())
	for _, hook := range u.rendered.Hooks {
		fmt.Fprintln(h, hook.String(), hook.When, hook.Digest)
	}
	return lifecycle.DigestOf(h)
}

// objectsDigest is the same without the hooks, which leave nothing that could be compared.
func (u *unit) objectsDigest() string {
	h := sha256.New()
	if c := u.chart(); c != nil {
		fmt.Fprintln(h, c.Name, c.Version, u.rendered.Digest)
	}
	for _, o := range u.all() {
		fmt.Fprintln(h, o.String(), o.Group(), lifecycle.DigestObject(o, u.rendered.Volatile, u.ignore()))
	}
	return lifecycle.DigestOf(h)
}

// build makes every declared unit, in order, for the cluster there is. What is wrong with one is among its findings.
func (e *Engine) build(ctx context.Context, caps lifecycle.Capabilities) ([]*unit, error) {
	units := e.declared(ctx, caps)
	var coming []lifecycle.Object
	for _, u := range units {
		coming = append(coming, definitions(u.all())...)
	}
	for _, u := range units {
		for _, phase := range []*[]lifecycle.Object{&u.early, &u.main, &u.late} {
			placed, err := e.Cluster.Place(ctx, *phase, u.namespace(), coming)
			if err != nil {
				return nil, fmt.Errorf("ask the API for the kinds of %s: %w", u.name, err)
			}
			u.renameVolatile(*phase, placed)
			*phase = placed
		}
	}
	relate(units)
	return units, nil
}

// buildOffline is build where there is no cluster.
func (e *Engine) buildOffline(ctx context.Context) []*unit {
	units := e.declared(ctx, lifecycle.Capabilities{Kubernetes: e.site.Cluster.Version.Kubernetes()})
	scope := newScopes()
	for _, u := range units {
		scope.learn(u.all())
	}
	for _, u := range units {
		for _, phase := range []*[]lifecycle.Object{&u.early, &u.main, &u.late} {
			placed := scope.place(*phase, u.namespace())
			u.renameVolatile(*phase, placed)
			*phase = placed
		}
	}
	relate(units)
	return units
}

// renameVolatile has volatile fields name their objects as they are placed.
func (u *unit) renameVolatile(from, to []lifecycle.Object) {
	u.rendered.Volatile = slices.Clone(u.rendered.Volatile) // a rendering is shared
	for i := range u.rendered.Volatile {
		v := &u.rendered.Volatile[i]
		if at := slices.IndexFunc(from, func(o lifecycle.Object) bool { return o.Same(v.Object) }); at >= 0 {
			v.Object = to[at].ObjectRef
		}
	}
}

// relate finds what units have to do with each other.
func relate(units []*unit) {
	addNamespaces(units)
	claims(units)
}

// declared are the units in order, as they are declared.
func (e *Engine) declared(ctx context.Context, caps lifecycle.Capabilities) []*unit {
	e.mu.Lock()
	defer e.mu.Unlock()
	var units []*unit
	addons, found := inOrder(e.site.Addons)
	for _, a := range addons {
		u := &unit{name: a.Unit(), addon: &a, found: found[a.Name]}
		u.caps = extended(caps, units)
		e.buildAddon(ctx, u)
		for _, need := range a.DependsOn {
			u.needs = append(u.needs, lifecycle.UnitAddon+need)
		}
		units = append(units, u)
	}
	argo := slices.ContainsFunc(e.site.Addons, func(a lifecycle.Addon) bool { return a.Name == argocd })
	for _, t := range e.site.Tenants {
		u := &unit{name: t.Unit(), tenant: &t}
		u.early, u.main = foundations(e.Tenants(t, argo))
		if argo {
			u.needs = append(u.needs, lifecycle.UnitAddon+argocd)
		}
		units = append(units, u)
	}
	if len(e.site.Objects) > 0 {
		u := &unit{name: lifecycle.UnitObjects}
		u.early, u.main = foundations(u.decode(e.site.Objects))
		if needsAddon(u, units) {
			for _, other := range units {
				u.needs = append(u.needs, other.name)
			}
			units = append(units, u)
		} else {
			units = append([]*unit{u}, units...)
		}
	}
	return units
}

// argocd is the name of the addon that brings the API of Argo CD.
const argocd = "argocd"

// extended is what an addon's chart may ask for once the units before it are there: their definitions serve.
func extended(caps lifecycle.Capabilities, before []*unit) lifecycle.Capabilities {
	if len(caps.APIs) == 0 {
		return caps // not known
	}
	caps.APIs = slices.Clone(caps.APIs)
	for _, u := range before {
		caps.APIs = append(caps.APIs, serves(u.all())...)
	}
	slices.Sort(caps.APIs)
	caps.APIs = slices.Compact(caps.APIs)
	return caps
}

// buildAddon renders an addon and puts its objects into phases.
func (e *Engine) buildAddon(ctx context.Context, u *unit) {
	r, err := e.render(ctx, *u.addon, u.caps)
	if err != nil {
		u.rendered.KubeVersion, u.rendered.AppVersion = r.KubeVersion, r.AppVersion
		for _, d := range lifecycle.AsDiagnostics(err, "addon "+u.addon.Name+" can't be rendered") {
			u.found = append(u.found, u.declaredAt(d))
		}
		return
	}
	u.rendered = r
	if u.addon.Chart != nil {
		u.early, u.main = slices.Clone(r.CRDs), r.Objects
		if d, found := u.needsItself(); found {
			u.found = append(u.found, u.declaredAt(d))
		}
	} else {
		u.early, u.main = foundations(slices.Concat(r.CRDs, r.Objects))
	}
	for _, o := range u.decode(u.addon.Objects) {
		if isEarly(o.ObjectRef) {
			u.early = append(u.early, o)
		} else {
			u.late = append(u.late, o)
		}
	}
	e.secrets(u)
	sortEarly(u.early)
}

// needsItself finds objects of a chart whose kinds only the chart's own templates define: the release is made in one go, and the API
// refuses it as long as it does not know them. Definitions in crds/ of a chart are applied before.
func (u *unit) needsItself() (lifecycle.Diagnostic, bool) {
	coming := serves(definitions(u.main))
	known := append(slices.Clone(u.caps.APIs), serves(u.early)...)
	var objects []string
	for _, o := range u.main {
		kind := o.APIVersion + "/" + o.Kind
		if slices.Contains(coming, kind) && !slices.Contains(known, kind) {
			objects = append(objects, o.String())
		}
	}
	if len(objects) == 0 {
		return lifecycle.Diagnostic{}, false
	}
	return lifecycle.Errorf("", "chart %s holds objects of kinds that its own templates define", u.chart().Name).
		Because(lifecycle.Few(objects) + ": the API does not know their kinds while the release is made, so it can't be made.").
		Try("Take these objects out of the chart, and put them into the overlay with the annotation kiban.dev/addon: " + u.addon.Name +
			"; they are applied once the chart is there."), true
}

// render renders an addon once for the same capabilities. Manifests do not depend on them.
func (e *Engine) render(ctx context.Context, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering, error) {
	if a.Chart == nil && len(a.Manifests) == 0 {
		return lifecycle.Rendering{}, nil
	}
	key := a.Name
	if a.Chart != nil {
		b, err := json.Marshal([]any{a.Name, caps.Kubernetes, caps.APIs})
		if err != nil {
			return lifecycle.Rendering{}, err
		}
		key = string(b)
	}
	if r, ok := e.rendered[key]; ok {
		return r, nil
	}
	r, err := e.Charts.Render(ctx, e.site, a, caps)
	if err == nil {
		e.rendered[key] = r
	}
	return r, err
}

// decode makes objects of documents.
func (u *unit) decode(docs []lifecycle.Document) []lifecycle.Object {
	var out []lifecycle.Object
	for _, d := range docs {
		b, err := yaml.YAMLToJSON(d.YAML) // keys sorted, as JSON's encoder has them
		if err != nil {
			u.found = append(u.found, lifecycle.Errorf(subject(d.Source, u.name), "the document is not an object").
				Try("kiban render shows what it is after the merge.").
				From(err))
			continue
		}
		out = append(out, lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: d.APIVersion, Kind: d.Kind, Namespace: d.Namespace,
			Name: d.Name}, JSON: b, Source: d.Source})
	}
	return out
}

// isEarly reports whether an object that is tied to an addon is applied before its chart, because the chart's pods stand on it and no
// webhook of the addon's judges it.
func isEarly(r lifecycle.ObjectRef) bool {
	return isNamespace(r) || isDefinition(r) || (r.Group() == "" &&
		(r.Kind == "Secret" || r.Kind == "ConfigMap" || r.Kind == "ServiceAccount")) ||
		r.Group() == "scheduling.k8s.io"
}

// foundations parts what other objects need from the rest.
func foundations(objs []lifecycle.Object) (early, rest []lifecycle.Object) {
	for _, o := range objs {
		switch {
		case isNamespace(o.ObjectRef), isDefinition(o.ObjectRef), o.Kind == "PriorityClass", o.Kind == "StorageClass":
			early = append(early, o)
		default:
			rest = append(rest, o)
		}
	}
	sortEarly(early)
	return early, rest
}

// sortEarly puts namespaces first, then definitions.
func sortEarly(objs []lifecycle.Object) {
	rank := func(o lifecycle.Object) int {
		switch {
		case isNamespace(o.ObjectRef):
			return 0
		case isDefinition(o.ObjectRef):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(objs, func(a, b lifecycle.Object) int { return rank(a) - rank(b) })
}

// needsAddon reports whether one of the unit's objects is of a kind, or in a namespace, that another unit brings.
func needsAddon(u *unit, others []*unit) bool {
	own := map[string]bool{}
	for _, o := range u.early {
		if isNamespace(o.ObjectRef) {
			own[o.Name] = true
		}
	}
	var apis []string
	namespaces := map[string]bool{}
	for _, other := range others {
		apis = append(apis, serves(other.all())...)
		namespaces[other.namespace()] = other.addon != nil
		for _, o := range other.early {
			if isNamespace(o.ObjectRef) {
				namespaces[o.Name] = true
			}
		}
	}
	return slices.ContainsFunc(u.all(), func(o lifecycle.Object) bool {
		return slices.Contains(apis, o.APIVersion+"/"+o.Kind) || (namespaces[o.Namespace] && !own[o.Namespace] && !alwaysThere(o.Namespace))
	})
}

// addNamespaces makes the namespace of each addon that nobody declares. Of two addons in one, the first makes it.
func addNamespaces(units []*unit) {
	made := map[string]string{}
	for _, u := range units {
		for _, o := range slices.Concat(u.early, u.late) {
			if isNamespace(o.ObjectRef) {
				made[o.Name] = u.name
			}
		}
	}
	for _, u := range units {
		if u.addon == nil || alwaysThere(u.addon.Namespace) || len(u.all()) == 0 {
			continue
		}
		ns := u.addon.Namespace
		by := made[ns]
		switch {
		case by == u.name:
		case by != "" && !comesBefore(units, by, u.name):
			u.found = append(u.found, lifecycle.Errorf(subject(u.addon.Source, u.name), "its namespace %s is declared by %s, which comes after it",
				ns, by).
				Try(fmt.Sprintf("Tie the Namespace to the addon: annotation %s: %s.", lifecycle.AnnotationAddon, u.addon.Name)))
		case by != "":
			if !slices.Contains(u.needs, by) {
				u.needs = append(u.needs, by)
			}
		default:
			made[ns] = u.name
			u.early = append([]lifecycle.Object{u.namespaceObject(ns)}, u.early...)
		}
	}
}

// namespaceObject is the namespace as the chart itself declares it, or a plain one. A release is kept in its namespace, so that has to be
// there before the chart is installed.
func (u *unit) namespaceObject(name string) lifecycle.Object {
	for i, o := range u.main {
		if isNamespace(o.ObjectRef) && o.Name == name {
			u.main = slices.Delete(slices.Clone(u.main), i, i+1)
			return o
		}
	}
	return lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: name},
		JSON: []byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"` + name + `"}}`), Source: u.name}
}

func alwaysThere(namespace string) bool {
	return namespace == "" || namespace == "default" || strings.HasPrefix(namespace, "kube-")
}

func comesBefore(units []*unit, a, b string) bool {
	at := func(name string) int {
		return slices.IndexFunc(units, func(u *unit) bool { return u.name == name })
	}
	return at(a) < at(b)
}

// identity is an object's name across versions of its API.
func identity(r lifecycle.ObjectRef) string {
	return r.Group() + "/" + r.Kind + "/" + r.Namespace + "/" + r.Name
}
