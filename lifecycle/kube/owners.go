package kube

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// owners remembers what created the ReplicaSets: that never changes while one exists.
type owners struct {
	mu    sync.Mutex
	names map[types.UID]string
}

// owner names the top controller of a pod: the Deployment behind its ReplicaSet, or what is named as its controller.
// "" for a bare pod.
func (c *Client) owner(ctx context.Context, p pod) string {
	if p.owner == nil {
		return ""
	}
	direct := p.owner.Kind + " " + p.namespace + "/" + p.owner.Name
	if p.owner.Kind != "ReplicaSet" {
		return direct
	}
	if name, ok := c.owners.get(p.owner.UID); ok {
		return name
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
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
