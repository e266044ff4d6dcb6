package controlplane

import (
	"context"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// applyManifests creates what k0s brings along: what lets kubelets bootstrap, and what runs in kube-system.
func (c *Controller) applyManifests(ctx context.Context, client kubernetes.Interface) error {
	if err := bindBootstrap(ctx, client); err != nil {
		return err
	}
	dns, err := c.Config.dnsIP()
	if err != nil {
		return err
	}
	return createSystem(ctx, client, dns)
}

// bindBootstrap lets kubelets bootstrap with a token: the roles are Kubernetes' own, the bindings are the installer's.
func bindBootstrap(ctx context.Context, client kubernetes.Interface) error {
	bindings := []struct{ name, role, group string }{
		{"kubelet-bootstrap", "system:node-bootstrapper", "system:bootstrappers"},
		{"node-autoapprove-bootstrap", "system:certificates.k8s.io:certificatesigningrequests:nodeclient", "system:bootstrappers"},
		{"node-autoapprove-certificate-rotation", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", "system:nodes"},
	}
	for _, b := range bindings {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: b.name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: b.role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: b.group}},
		}
		if err := create(ctx, func() error {
			_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// create tries until the API server, which has only just come up, takes the object or has it already.
func create(ctx context.Context, post func() error) error {
	for {
		err := post()
		if err == nil || apierrors.IsAlreadyExists(err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
