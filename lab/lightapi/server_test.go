package lightapi_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lab/lightapi"
)

// client serves a database over plain HTTP, and is a client of it that sends protobuf, as kiban's does.
func client(t *testing.T, file string) kubernetes.Interface {
	t.Helper()
	h, err := lightapi.Handler(lightapi.Options{File: file, Version: "v1.36.3+k0s", Leaders: []string{"kube-scheduler"}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := kubernetes.NewForConfig(&rest.Config{Host: s.URL, ContentConfig: rest.ContentConfig{
		ContentType: "application/vnd.kubernetes.protobuf", AcceptContentTypes: "application/vnd.kubernetes.protobuf,application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func configMap(name string, labels map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: map[string]string{"a": "1", "b": "2"}}
}

// What is written is there, also for the next server of the same file; who writes on top of something unread is refused.
func TestKeepsWhatItIsGiven(t *testing.T) {
	ctx, file := t.Context(), filepath.Join(t.TempDir(), "light.json")
	maps := client(t, file).CoreV1().ConfigMaps("kube-system")
	made, err := maps.Create(ctx, configMap("c", nil), metav1.CreateOptions{})
	if err != nil || made.UID == "" || made.ResourceVersion == "" || made.Namespace != "kube-system" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := maps.Create(ctx, configMap("c", nil), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("made twice: %v", err)
	}
	patched, err := maps.Patch(ctx, "c", types.MergePatchType, []byte(`{"data":{"a":null,"c":"3"}}`), metav1.PatchOptions{})
	if err != nil || len(patched.Data) != 2 || patched.Data["c"] != "3" {
		t.Errorf("patched to %v, %v", patched.Data, err)
	}
	if _, err := maps.Update(ctx, made, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("written on top of something unread: %v", err)
	}
	again := client(t, file).CoreV1().ConfigMaps("kube-system")
	got, err := again.Get(ctx, "c", metav1.GetOptions{})
	if err != nil || got.UID != made.UID || got.Data["b"] != "2" {
		t.Errorf("the next server has %+v, %v", got, err)
	}
	if err := again.Delete(ctx, "c", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := again.Get(ctx, "c", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("deleted: %v", err)
	}
}

// Lists are by namespace and label; what is watched is told in its order, and nothing of others.
func TestListsAndWatches(t *testing.T) {
	ctx := t.Context()
	c := client(t, filepath.Join(t.TempDir(), "light.json"))
	for name, labels := range map[string]map[string]string{"x": {"app": "x"}, "y": {"app": "y"}} {
		if _, err := c.CoreV1().ConfigMaps("default").Create(ctx, configMap(name, labels), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{LabelSelector: "app=x"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "x" {
		t.Fatalf("%+v, %v", list.Items, err)
	}
	none, err := c.CoreV1().ConfigMaps("kube-system").List(ctx, metav1.ListOptions{})
	if err != nil || len(none.Items) != 0 {
		t.Errorf("another namespace has %v, %v", none.Items, err)
	}
	w, err := c.CoreV1().ConfigMaps("").Watch(ctx, metav1.ListOptions{LabelSelector: "app=x", ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for _, name := range []string{"y", "x"} {
		if err := c.CoreV1().ConfigMaps("default").Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case e := <-w.ResultChan():
		if cm, ok := e.Object.(*corev1.ConfigMap); e.Type != watch.Deleted || !ok || cm.Name != "x" {
			t.Errorf("told of %s %+v", e.Type, e.Object)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was told")
	}
}

// It tells of itself what clients ask first, and its leaders have just renewed their leases.
func TestTellsOfItself(t *testing.T) {
	ctx := t.Context()
	c := client(t, filepath.Join(t.TempDir(), "light.json"))
	if v, err := c.Discovery().ServerVersion(); err != nil || v.GitVersion != "v1.36.3+k0s" || v.Minor != "36" {
		t.Errorf("%+v, %v", v, err)
	}
	if _, lists, err := c.Discovery().ServerGroupsAndResources(); err != nil || len(lists) < 10 {
		t.Errorf("%d lists of resources, %v", len(lists), err)
	}
	ns, err := c.CoreV1().Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
	if err != nil || ns.UID == "" || ns.Status.Phase != corev1.NamespaceActive {
		t.Errorf("%+v, %v", ns, err)
	}
	var lease *coordinationv1.Lease
	if lease, err = c.CoordinationV1().Leases("kube-system").Get(ctx, "kube-scheduler", metav1.GetOptions{}); err != nil ||
		lease.Spec.RenewTime == nil || time.Since(lease.Spec.RenewTime.Time) > time.Minute {
		t.Errorf("%+v, %v", lease, err)
	}
	if err := c.CoreV1().RESTClient().Get().AbsPath("/apis/example.com/v1/things").Do(ctx).Error(); !apierrors.IsNotFound(err) {
		t.Errorf("what is not served: %v", err)
	}
}
