package addons

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// cluster is a model of one: objects by identity, releases with their history, inventories. Charts are what a test says they make.
type cluster struct {
	objects     map[string]string // identity -> JSON
	releases    map[string][]revision
	inventories map[string]lifecycle.Inventory
	charts      map[string][]lifecycle.Object // "name version"
	// sick are objects' JSON that never become healthy.
	sick map[string]bool
	// did is what was done, in order. cut ends everything at that many writes, as SIGKILL would; negative: never.
	did     []string
	cut     int
	secrets map[string]string
	// volatile are fields that each rendering makes anew.
	volatile []lifecycle.FieldRef
	// hooks are those of every chart, and of every release.
	hooks []lifecycle.Hook
}

type revision struct {
	chart, version, status string
	objects                []lifecycle.Object
}

var errKilled = errors.New("killed")

func newCluster() *cluster {
	return &cluster{objects: map[string]string{}, releases: map[string][]revision{}, inventories: map[string]lifecycle.Inventory{},
		charts: map[string][]lifecycle.Object{},
		sick:   map[string]bool{}, secrets: map[string]string{}, cut: -1}
}

func (c *cluster) engine(site lifecycle.Site) *Engine {
	return New(site, Deps{Charts: c, Releases: c, Objects: c, Inventories: c, Cluster: c, Poll: time.Millisecond, Run: "run-1",
		Tenants: func(t lifecycle.Tenant, _ bool) []lifecycle.Object {
			return []lifecycle.Object{object("v1", "Namespace", "", t.Name, ""), object("v1", "LimitRange", t.Name, "kiban", "")}
		},
		Secret: func(s lifecycle.SecretSource) ([]byte, bool, error) {
			v, ok := c.secrets[s.Env]
			return []byte(v), ok, nil
		}})
}

// write counts a change, and ends the world when its time has come.
func (c *cluster) write(what string) error {
	if c.cut == 0 {
		return errKilled
	}
	c.cut--
	c.did = append(c.did, what)
	return nil
}

func object(api, kind, namespace, name, data string) lifecycle.Object {
	meta := map[string]any{"name": name}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	b, err := json.Marshal(map[string]any{"apiVersion": api, "kind": kind, "metadata": meta, "data": data})
	if err != nil {
		panic(err)
	}
	return lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: api, Kind: kind, Namespace: namespace, Name: name}, JSON: b}
}

func (c *cluster) Render(_ context.Context, _ lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering, error) {
	key := "manifests " + a.Name
	if a.Chart != nil {
		key = a.Chart.Name + " " + a.Chart.Version
	}
	objs, ok := c.charts[key]
	if !ok {
		return lifecycle.Rendering{}, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "there is no chart " + key}
	}
	if slices.Contains(caps.APIs, "shop.example/v1/Widget") && strings.HasPrefix(key, "asks") {
		objs = append(slices.Clone(objs), object("shop.example/v1", "Widget", a.Namespace, "w", ""))
	}
	if caps.Kubernetes == "v1.37.0" && strings.HasPrefix(key, "asks") {
		objs = append(slices.Clone(objs), object("v1", "ConfigMap", a.Namespace, "for-1.37", ""))
	}
	return lifecycle.Rendering{Objects: objs, Digest: "sha256:" + key, Volatile: c.volatile, Hooks: c.hooks}, nil
}

func (c *cluster) Release(_ context.Context, namespace, name string) (lifecycle.Release, error) {
	h := c.releases[namespace+"/"+name]
	if len(h) == 0 {
		return lifecycle.Release{}, nil
	}
	last := h[len(h)-1]
	r := lifecycle.Release{Name: name, Namespace: namespace, Chart: last.chart, Version: last.version, Revision: len(h), Status: last.status,
		Hooks: c.hooks}
	for _, o := range last.objects {
		ref := o.ObjectRef
		ref.Namespace = strings.TrimPrefix(ref.Namespace, namespace) // manifests need not say where they are
		r.Objects = append(r.Objects, ref)
	}
	return r, nil
}

func (c *cluster) Deploy(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities, _ func(string)) error {
	if _, ok := c.objects[identity(lifecycle.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: a.Namespace})]; !ok {
		return fmt.Errorf("namespace %s not found", a.Namespace)
	}
	if err := c.write(fmt.Sprintf("deploy %s %s", a.Chart.Release, a.Chart.Version)); err != nil {
		return err
	}
	r, err := c.Render(ctx, site, a, caps)
	if err != nil {
		return err
	}
	placed := newScopes().place(r.Objects, a.Namespace)
	c.become(a.Namespace+"/"+a.Chart.Release, revision{a.Chart.Name, a.Chart.Version, "deployed", placed})
	return nil
}

// become makes a revision the release's newest.
func (c *cluster) become(key string, next revision) {
	if h := c.releases[key]; len(h) > 0 {
		for _, o := range h[len(h)-1].objects {
			if !slices.ContainsFunc(next.objects, func(n lifecycle.Object) bool { return n.Same(o.ObjectRef) }) {
				delete(c.objects, identity(o.ObjectRef))
			}
		}
	}
	for _, o := range next.objects {
		c.objects[identity(o.ObjectRef)] = string(o.JSON)
	}
	c.releases[key] = append(c.releases[key], next)
}

func (c *cluster) Rollback(_ context.Context, namespace, name string, rev int, _ func(string)) error {
	if err := c.write(fmt.Sprintf("rollback %s to %d", name, rev)); err != nil {
		return err
	}
	c.become(namespace+"/"+name, c.releases[namespace+"/"+name][rev-1])
	return nil
}

func (c *cluster) Uninstall(_ context.Context, namespace, name string) error {
	if err := c.write("uninstall " + name); err != nil {
		return err
	}
	c.become(namespace+"/"+name, revision{})
	delete(c.releases, namespace+"/"+name)
	return nil
}

func (c *cluster) Compare(_ context.Context, objs []lifecycle.Object, opts lifecycle.CompareOptions) ([]lifecycle.ObjectChange, []string,
	error) {
	var out []lifecycle.ObjectChange
	for _, o := range objs {
		live, there := c.objects[identity(o.ObjectRef)]
		it, had := opts.Inventory.Find(o.ObjectRef)
		drift := had && it.Digest == lifecycle.DigestObject(o, opts.Volatile, opts.Ignore)
		switch {
		case !there:
			out = append(out, lifecycle.ObjectChange{ObjectRef: o.ObjectRef, Change: lifecycle.ChangeCreate, Drift: had})
		case live != string(o.JSON):
			out = append(out, lifecycle.ObjectChange{ObjectRef: o.ObjectRef, Change: lifecycle.ChangeUpdate, Drift: drift})
		}
	}
	return out, nil, nil
}

func (c *cluster) ApplyObjects(_ context.Context, objs []lifecycle.Object, _ string, _ func(string)) error {
	for _, o := range objs {
		if err := c.write("apply " + o.String()); err != nil {
			return err
		}
		c.objects[identity(o.ObjectRef)] = string(o.JSON)
	}
	return nil
}

func (c *cluster) DeleteObjects(_ context.Context, refs []lifecycle.ObjectRef, _ func(string)) error {
	for _, r := range refs {
		if err := c.write("delete " + r.String()); err != nil {
			return err
		}
		delete(c.objects, identity(r))
	}
	return nil
}

func (c *cluster) Health(_ context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectHealth, error) {
	var out []lifecycle.ObjectHealth
	for _, r := range refs {
		h := lifecycle.ObjectHealth{ObjectRef: r, Health: lifecycle.Health{Status: lifecycle.HealthCurrent}}
		live, there := c.objects[identity(r)]
		switch {
		case !there:
			h.Health = lifecycle.Health{Status: lifecycle.HealthNotFound}
		case c.sick[live]:
			h.Health = lifecycle.Health{Status: lifecycle.HealthInProgress, Why: "pod x: CrashLoopBackOff"}
		}
		out = append(out, h)
	}
	return out, nil
}

func (c *cluster) Inventories(context.Context) ([]lifecycle.Inventory, error) {
	var out []lifecycle.Inventory
	for _, inv := range c.inventories {
		out = append(out, inv)
	}
	slices.SortFunc(out, func(a, b lifecycle.Inventory) int { return strings.Compare(a.Unit, b.Unit) })
	return out, nil
}

func (c *cluster) WriteInventory(_ context.Context, inv lifecycle.Inventory) error {
	if err := c.write("note " + inv.Unit); err != nil {
		return err
	}
	c.inventories[inv.Unit] = inv
	return nil
}

func (c *cluster) DeleteInventory(_ context.Context, unit string) error {
	if err := c.write("forget " + unit); err != nil {
		return err
	}
	delete(c.inventories, unit)
	return nil
}

func (c *cluster) Capabilities(context.Context) (lifecycle.Capabilities, error) {
	return lifecycle.Capabilities{Kubernetes: "v1.36.3+k0s", APIs: []string{"v1"}}, nil
}

func (c *cluster) Place(_ context.Context, objs []lifecycle.Object, namespace string, _ []lifecycle.Object) ([]lifecycle.Object, error) {
	return newScopes().place(objs, namespace), nil
}

func (c *cluster) Existing(_ context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectRef, error) {
	return slices.DeleteFunc(slices.Clone(refs), func(r lifecycle.ObjectRef) bool {
		_, there := c.objects[identity(r)]
		return !there
	}), nil
}

// look observes, and fails the test when a unit is not known.
func look(t *testing.T, e *Engine) []lifecycle.UnitState {
	t.Helper()
	states := e.Observe(t.Context(), lifecycle.APIState{ClusterUID: "u"})
	for _, s := range states {
		if s.Unknown != "" {
			t.Fatalf("%s: %s", s.Name, s.Unknown)
		}
	}
	return states
}

func stateOf(t *testing.T, e *Engine, unit string) lifecycle.UnitState {
	t.Helper()
	for _, s := range look(t, e) {
		if s.Name == unit {
			return s
		}
	}
	t.Fatalf("no unit %s", unit)
	return lifecycle.UnitState{}
}

// due are the steps that a plan would have.
func due(states []lifecycle.UnitState) []lifecycle.Step {
	var steps []lifecycle.Step
	for _, s := range states {
		st := lifecycle.Step{ID: s.Name + "/apply", Action: lifecycle.ActionApply, Target: s.Name, Digest: s.Digest, Objects: s.Changes}
		switch {
		case !s.Declared:
			st.Action = lifecycle.ActionPrune
		case len(s.Changes) == 0 && s.Changed == "" && !s.Adopts:
			continue
		}
		steps = append(steps, st)
	}
	return steps
}

// converge applies all that is due once; the error is the first step's that failed.
func converge(t *testing.T, e *Engine) error {
	t.Helper()
	for _, st := range due(look(t, e)) {
		if err := e.Do(t.Context(), st, nil); err != nil {
			return err
		}
	}
	return nil
}

func mustConverge(t *testing.T, e *Engine) {
	t.Helper()
	if err := converge(t, e); err != nil {
		t.Fatal(err)
	}
	if left := due(look(t, e)); len(left) > 0 {
		t.Fatalf("something is left to do: %+v", left)
	}
}
