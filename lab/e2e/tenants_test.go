package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lab/oidc"
)

// TestTenantsWorkInTheirNamespacesOnly signs people on with tokens of an identity provider, and has the API server judge what they may.
func TestTenantsWorkInTheirNamespacesOnly(t *testing.T) {
	t.Parallel()
	issuer, err := oidc.Start(t.TempDir(), "127.238.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	b := start(t, "127.238.0", 1, 1)
	b.Config = "        api:\n          extraArgs:\n            authentication-config: /etc/k0s/authentication.yaml\n"
	b.Spec = `  files:
    /etc/k0s/authentication.yaml:
      on: controllers
      mode: "0644"
      restart: false
      content: |
        apiVersion: apiserver.config.k8s.io/v1
        kind: AuthenticationConfiguration
        jwt:
        - issuer:
            url: ` + issuer.URL() + `
            audiences: [kubernetes]
            certificateAuthority: |
              ` + strings.ReplaceAll(strings.TrimSpace(string(issuer.CA())), "\n", "\n              ") + `
          claimMappings:
            username: {claim: email, prefix: "oidc:"}
            groups: {claim: groups, prefix: "oidc:"}
`
	p := platform{tenants: []string{"product-a", "product-b"}}
	b.with(p)
	b.apply(0)
	b.nothingLeft("lab")
	_, admin := b.admin()
	person := func(groups ...string) kubernetes.Interface {
		token, err := issuer.Token(map[string]any{"sub": "1", "email": "ann@example.com", "groups": groups})
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(&rest.Config{Host: admin.Host, BearerToken: token,
			TLSClientConfig: rest.TLSClientConfig{CAData: admin.CAData, ServerName: admin.ServerName}})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	ann := person("product-a")
	b.eventually("she is known", func() (bool, string) {
		_, err := ann.CoreV1().Pods("product-a").List(t.Context(), metav1.ListOptions{})
		return err == nil, fmt.Sprint(err)
	})

	for _, c := range []struct {
		who                             string
		groups                          []string
		verb, group, resource, in, name string
		may                             bool
	}{
		{who: "ann", groups: []string{"product-a"}, verb: "create", group: "apps", resource: "deployments", in: "product-a", may: true},
		{who: "ann", groups: []string{"product-a"}, verb: "delete", resource: "pods", in: "product-a", may: true},
		{who: "ann", groups: []string{"product-a"}, verb: "get", resource: "secrets", in: "product-a", may: true},
		{who: "ann", groups: []string{"product-a"}, verb: "update", resource: "resourcequotas", in: "product-a"},
		{who: "ann", groups: []string{"product-a"}, verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings",
			in: "product-a"},
		{who: "ann", groups: []string{"product-a"}, verb: "delete", group: "networking.k8s.io", resource: "networkpolicies", in: "product-b"},
		{who: "ann", groups: []string{"product-a"}, verb: "get", resource: "pods", in: "product-b"},
		{who: "ann", groups: []string{"product-a"}, verb: "get", resource: "secrets", in: "kube-system"},
		{who: "ann", groups: []string{"product-a"}, verb: "create", resource: "namespaces"},
		{who: "ann", groups: []string{"product-a"}, verb: "patch", resource: "namespaces", name: "product-a"},
		{who: "ann", groups: []string{"product-a"}, verb: "list", resource: "nodes"},
		{who: "bob", groups: []string{"product-b"}, verb: "create", group: "apps", resource: "deployments", in: "product-b", may: true},
		{who: "bob", groups: []string{"product-b"}, verb: "list", resource: "pods", in: "product-a"},
		{who: "a stranger", verb: "list", resource: "pods", in: "product-a"},
		{who: "one who claims to be an administrator", groups: []string{"system:masters", "cluster-admin"}, verb: "list", resource: "nodes"},
	} {
		review, err := person(c.groups...).AuthorizationV1().SelfSubjectAccessReviews().
			Create(t.Context(), &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: c.verb, Group: c.group, Resource: c.resource, Namespace: c.in, Name: c.name,
				}},
			}, metav1.CreateOptions{})
		if err != nil || review.Status.Allowed != c.may {
			t.Errorf("%s may %s %s in %q: %v, want %v (%v)", c.who, c.verb, c.resource, c.in, err == nil && review.Status.Allowed, c.may, err)
		}
	}
	b.reallyWorks(t.Context(), ann)

	r := b.must(0, b.kiban("tenants", "lab"))
	b.says(r, "product-a", "product-b", "pods")
}

// reallyWorks tries requests as they are made.
func (b *bench) reallyWorks(ctx context.Context, ann kubernetes.Interface) {
	b.t.Helper()
	pod := func(name string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example/app:1"}}}}
	}
	made, err := ann.CoreV1().Pods("product-a").Create(ctx, pod("app"), metav1.CreateOptions{})
	if err != nil {
		b.t.Errorf("a pod in her namespace: %v", err)
	} else if limit := made.Spec.Containers[0].Resources.Limits.Memory().String(); limit != "512Mi" {
		b.t.Errorf("it got the memory limit %s", limit)
	}
	if _, err := ann.CoreV1().Pods("product-b").Create(ctx, pod("app"), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		b.t.Errorf("a pod in another's namespace: %v", err)
	}
	host := pod("host")
	host.Spec.HostNetwork = true
	if _, err := ann.CoreV1().Pods("product-a").Create(ctx, host, metav1.CreateOptions{}); !apierrors.IsForbidden(err) ||
		!strings.Contains(err.Error(), "PodSecurity") {
		b.t.Errorf("a pod on the host's network: %v", err)
	}
	much := pod("much")
	much.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("30")}
	if _, err := ann.CoreV1().Pods("product-a").Create(ctx, much, metav1.CreateOptions{}); !apierrors.IsForbidden(err) ||
		!strings.Contains(err.Error(), "exceeded quota") {
		b.t.Errorf("a pod over the quota: %v", err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "ann"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "oidc:ann@example.com"}}}
	if _, err := ann.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		b.t.Errorf("she made herself an administrator: %v", err)
	}
}
