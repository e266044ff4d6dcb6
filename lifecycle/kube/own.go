package kube

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"kiban.dev/kiban/lifecycle"
)

// own are the resources of which this client asks for objects as they are declared, or were when they were applied last. API servers
// count these requests like anybody's.
type own struct {
	mu    sync.Mutex
	asked map[schema.GroupVersionResource]bool
}

func (o *own) ask(r schema.GroupVersionResource) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked == nil {
		o.asked = map[schema.GroupVersionResource]bool{}
	}
	o.asked[r] = true
}

// mark says of requests which of them are kiban's own, too.
func (o *own) mark(requests []lifecycle.APIRequest, at time.Time) []lifecycle.APIRequest {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, r := range requests {
		if o.asked[schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}] {
			requests[i].Own = at
		}
	}
	return requests
}

// AsksItself reports whether this client has asked for objects of one of these APIs, or has found that they were applied by it.
func (c *Client) AsksItself(apis []lifecycle.API) bool {
	c.own.mu.Lock()
	defer c.own.mu.Unlock()
	return slices.ContainsFunc(apis, func(a lifecycle.API) bool {
		return c.own.asked[schema.GroupVersionResource{Group: a.Group, Version: a.Version, Resource: a.Resource}]
	})
}

// applied takes down by which APIs objects were applied: until these were declared otherwise, kiban asked for them.
func (c *Client) applied(inventory lifecycle.Inventory) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if c.kinds.mapper == nil {
		return
	}
	for _, item := range inventory.Objects {
		kind := schema.FromAPIVersionAndKind(item.APIVersion, item.Kind)
		if m, err := c.kinds.mapper.RESTMapping(kind.GroupKind(), kind.Version); err == nil {
			c.own.ask(m.Resource)
		}
	}
}
