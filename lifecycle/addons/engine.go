package addons

import (
	"context"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Charts renders what an addon declares.
type Charts interface {
	// Render makes an addon's objects of its chart and values, or reads its manifests, for a cluster with those capabilities.
	Render(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering, error)
}

// Releases are the Helm releases of a cluster.
type Releases interface {
	// Release is zero when there is none.
	Release(ctx context.Context, namespace, name string) (lifecycle.Release, error)
	// Deploy installs or upgrades an addon's release. Its workloads' health is not waited for.
	Deploy(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities, progress func(string)) error
	Rollback(ctx context.Context, namespace, name string, revision int, progress func(string)) error
	// Uninstall deletes a release and its objects, but no definitions of custom resources.
	Uninstall(ctx context.Context, namespace, name string) error
}

// Objects are the objects of a cluster.
type Objects interface {
	// Compare says what applying the objects would change, by the API's own word, and which differing fields were left out.
	Compare(ctx context.Context, objs []lifecycle.Object, opts lifecycle.CompareOptions) (changes []lifecycle.ObjectChange, ignored []string,
		err error)
	// ApplyObjects applies them in order. What fails only because a webhook or a kind is not up yet is tried again until ctx ends.
	ApplyObjects(ctx context.Context, objs []lifecycle.Object, namespace string, progress func(string)) error
	DeleteObjects(ctx context.Context, refs []lifecycle.ObjectRef, progress func(string)) error
	// Health is in the order of refs.
	Health(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectHealth, error)
}

// Inventories are kiban's own records in a cluster, one a unit.
type Inventories interface {
	Inventories(ctx context.Context) ([]lifecycle.Inventory, error)
	WriteInventory(ctx context.Context, inv lifecycle.Inventory) error
	DeleteInventory(ctx context.Context, unit string) error
}

// Cluster tells what a cluster has.
type Cluster interface {
	Capabilities(ctx context.Context) (lifecycle.Capabilities, error)
	// Place gives each object the namespace that it will be in. Kinds that are not served yet are looked up among objs and coming.
	Place(ctx context.Context, objs []lifecycle.Object, namespace string, coming []lifecycle.Object) ([]lifecycle.Object, error)
	// Existing are those of refs that are there.
	Existing(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectRef, error)
}

// Deps is what an engine works with.
type Deps struct {
	Charts      Charts
	Releases    Releases
	Objects     Objects
	Inventories Inventories
	Cluster     Cluster
	// Tenants says which objects a tenant stands for. argo: the site has Argo CD.
	Tenants func(t lifecycle.Tenant, argo bool) []lifecycle.Object
	// Secret finds a secret value on this machine; false: its source is not there.
	Secret func(lifecycle.SecretSource) ([]byte, bool, error)
	// Run names the run in inventories.
	Run string
	// Poll is the pause between two looks at health. Zero: a second.
	Poll time.Duration
}

// Engine observes and changes the units of one site. It may be used by several goroutines.
type Engine struct {
	site lifecycle.Site
	Deps
	*memory
}

// memory is what engines of one site share.
type memory struct {
	mu sync.Mutex // one build at a time
	// rendered are renderings by addon and capabilities: an observation and the step after it ask for the same.
	rendered map[string]lifecycle.Rendering
}

// New makes the engine of a site.
func New(site lifecycle.Site, deps Deps) *Engine {
	if deps.Poll == 0 {
		deps.Poll = time.Second
	}
	return &Engine{site: site, Deps: deps, memory: &memory{rendered: map[string]lifecycle.Rendering{}}}
}

// During is the engine of a run, which inventories name.
func (e *Engine) During(run string) *Engine {
	other := *e
	other.Run = run
	return &other
}
