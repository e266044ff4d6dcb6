package kube

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// clusterConfigPath is where k0s keeps its configuration in a cluster whose configuration is dynamic.
const clusterConfigPath = "/apis/k0s.k0sproject.io/v1beta1/namespaces/" + metav1.NamespaceSystem + "/clusterconfigs/k0s"

// clusterConfig is the spec of k0s's configuration in the cluster, as {"spec": ...}; nil where the cluster has none, or where whoever
// asks may not read it. It may hold secrets.
func (c *Client) clusterConfig(ctx context.Context) ([]byte, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	b, err := c.api.Discovery().RESTClient().Get().AbsPath(clusterConfigPath).DoRaw(ctx)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("get k0s's configuration in the cluster: %w", err)
	}
	var o struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, fmt.Errorf("k0s's configuration in the cluster: %w", err)
	}
	if len(o.Spec) == 0 {
		o.Spec = json.RawMessage("{}")
	}
	return json.Marshal(o)
}

// WriteClusterConfig brings k0s's configuration in the cluster to spec, {"spec": ...}. What spec says nothing of stays as it is.
func (c *Client) WriteClusterConfig(ctx context.Context, spec []byte) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.insist(ctx, "k0s's configuration", func() error {
		ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
		defer cancel()
		err := c.api.Discovery().RESTClient().Patch(types.MergePatchType).AbsPath(clusterConfigPath).Param("fieldManager", "kiban").Body(spec).
			Do(ctx).Error()
		if err != nil {
			return fmt.Errorf("write k0s's configuration in the cluster: %w", err)
		}
		return nil
	})
}
