package kube

import (
	"context"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// owners remembers what created the ReplicaSets: that never changes while one exists.
type owners struct {
	mu    sync.Mutex
	names map[types.UID]string
}

// ownersOf names the top controllers of pods, each once, in the pods' order.
func (c *Client) ownersOf(ctx context.Context, pods []pod) []string {
	var names []string
	asked := map[types.UID]bool{}
	for _, p := range pods {
		if p.owner == nil || asked[p.owner.UID] {
			continue
		}
		asked[p.owner.UID] = true
		if name := c.owner(ctx, p); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// owner names the top controller of a pod: the Deployment behind its ReplicaSet, or what is named as its controller.
func (c *Client) owner(ctx context.Context, p pod) string {
	direct := p.owner.Kind + " " + p.namespace + "/" + p.owner.Name
	if p.owner.Kind != "ReplicaSet" {
		return direct
	}
	if name, ok := c.owners.get(p.owner.UID); ok {
		return name
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	rs, err := c.api.AppsV1().ReplicaSets(p.namespace).Get(ctx, p.owner.Name, metav1.GetOptions{})
	if err != nil {
		return direct // still a true answer, one step short
	}
	if top := metav1.GetControllerOf(rs); top != nil {
		direct = top.Kind + " " + p.namespace + "/" + top.Name
	}
	c.owners.put(p.owner.UID, direct)
	return direct
}

func (o *owners) get(uid types.UID) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name, ok := o.names[uid]
	return name, ok
}

func (o *owners) put(uid types.UID, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = map[types.UID]string{}
	}
	o.names[uid] = name
}
