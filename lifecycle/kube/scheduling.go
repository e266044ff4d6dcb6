package kube

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// Scheduling is what decides where pods can run: nodes, what binds volumes to them, and all pods that have not ended. Pods are read page by
// page, and of each only what the scheduler judges by is kept.
//
// Each is held against what its namespace asks of pods that are made in it, too: whoever takes its place is judged anew.
func (c *Client) Scheduling(ctx context.Context, how lifecycle.PodAdmission) (lifecycle.Scheduling, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Scheduling{}, err
	}
	var around surroundings
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { around.nodes, err = c.schedulingNodes(gctx); return })
	g.Go(func() (err error) { around.namespaces, err = c.namespaceLabels(gctx); return })
	g.Go(func() (err error) { around.volumes, err = c.volumes(gctx); return })
	g.Go(func() (err error) { around.claims, err = c.claims(gctx); return })
	g.Go(func() (err error) { around.classes, err = c.storageClasses(gctx); return })
	g.Go(func() error { // where pods fit can be said without it
		var err error
		if around.letIn, err = c.letIn(gctx, how); err != nil {
			around.notAsked = err.Error()
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return lifecycle.Scheduling{}, err
	}
	chart := newChart(around)
	_, err := pages(ctx, metav1.ListOptions{FieldSelector: unfinished}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{},
		string, error) {
		list, err := c.api.CoreV1().Pods("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list pods: %w", err)
		}
		if opts.Continue == "" {
			chart = newChart(around) // a list that expired on its way is read again from its beginning
		}
		for i := range list.Items {
			chart.pod(&list.Items[i])
		}
		return nil, list.Continue, nil
	})
	if err != nil {
		return lifecycle.Scheduling{}, err
	}
	return chart.done(), nil
}

// surroundings are what pods are placed among.
type surroundings struct {
	nodes []corev1.Node
	// namespaces have their labels, by name.
	namespaces map[string]map[string]string
	// volumes are by name, claims by "namespace/name", classes by name.
	volumes map[string]volume
	claims  map[string]claim
	classes map[string]storagev1.StorageClass
	// letIn judges whether pods that are made anew are let in; notAsked says why it does not, "" where it does.
	letIn    letIn
	notAsked string
}

// volume is what ties a volume to nodes.
type volume struct {
	affinity *corev1.NodeSelector
	labels   map[string]string // those of zones and regions
}

// claim is what a pod asks for a volume with.
type claim struct{ volume, class string }

func (c *Client) schedulingNodes(ctx context.Context) ([]corev1.Node, error) {
	return pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]corev1.Node, string, error) {
		list, err := c.api.CoreV1().Nodes().List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list nodes: %w", err)
		}
		out := make([]corev1.Node, len(list.Items))
		for i := range list.Items {
			out[i] = bareNode(&list.Items[i])
		}
		return out, list.Continue, nil
	})
}

// bareNode is a node with what the scheduler looks at, and without the rest, images above all.
func bareNode(n *corev1.Node) corev1.Node {
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels},
		Spec:   corev1.NodeSpec{Unschedulable: n.Spec.Unschedulable, Taints: n.Spec.Taints},
		Status: corev1.NodeStatus{Allocatable: n.Status.Allocatable}}
}

func (c *Client) namespaceLabels(ctx context.Context) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := c.api.CoreV1().Namespaces().List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list namespaces: %w", err)
		}
		for i := range list.Items {
			out[list.Items[i].Name] = list.Items[i].Labels
		}
		return nil, list.Continue, nil
	})
	return out, err
}

func (c *Client) volumes(ctx context.Context) (map[string]volume, error) {
	out := map[string]volume{}
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := c.api.CoreV1().PersistentVolumes().List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list volumes: %w", err)
		}
		for i := range list.Items {
			out[list.Items[i].Name] = bareVolume(&list.Items[i])
		}
		return nil, list.Continue, nil
	})
	return out, err
}

func bareVolume(v *corev1.PersistentVolume) volume {
	var out volume
	if v.Spec.NodeAffinity != nil {
		out.affinity = v.Spec.NodeAffinity.Required
	}
	for _, key := range zoneLabels() {
		if value, there := v.Labels[key]; there {
			if out.labels == nil {
				out.labels = map[string]string{}
			}
			out.labels[key] = value
		}
	}
	return out
}

func (c *Client) claims(ctx context.Context) (map[string]claim, error) {
	out := map[string]claim{}
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := c.api.CoreV1().PersistentVolumeClaims("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list volume claims: %w", err)
		}
		for i := range list.Items {
			out[list.Items[i].Namespace+"/"+list.Items[i].Name] = bareClaim(&list.Items[i])
		}
		return nil, list.Continue, nil
	})
	return out, err
}

func bareClaim(p *corev1.PersistentVolumeClaim) claim {
	out := claim{volume: p.Spec.VolumeName}
	if p.Spec.StorageClassName != nil {
		out.class = *p.Spec.StorageClassName
	}
	return out
}

func (c *Client) storageClasses(ctx context.Context) (map[string]storagev1.StorageClass, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.api.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list storage classes: %w", err)
	}
	out := map[string]storagev1.StorageClass{}
	for i := range list.Items {
		out[list.Items[i].Name] = list.Items[i]
	}
	return out, nil
}
