package kube

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// managed is an object as a list of metadata has it.
func managed(name, applied string, fields ...metav1.ManagedFieldsEntry) metav1.PartialObjectMetadata {
	o := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		ObjectMeta: metav1.ObjectMeta{Name: name, ManagedFields: fields, Labels: map[string]string{"example.org/team": "payments"}}}
	if applied != "" {
		o.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": applied}
	}
	return o
}

func by(manager, api string, at time.Time) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, APIVersion: api, Operation: metav1.ManagedFieldsOperationUpdate,
		Time: &metav1.Time{Time: at}}
}

func TestWritesOf(t *testing.T) {
	at := time.Unix(1795737600, 0)
	gvk := schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "VolumeAttributesClass"}
	wanted := map[string]bool{"storage.k8s.io/v1beta1 VolumeAttributesClass": true}
	const old = "storage.k8s.io/v1beta1"
	const last = `{"apiVersion":"storage.k8s.io/v1beta1","kind":"VolumeAttributesClass","metadata":{"name":"a"}}`
	for name, c := range map[string]struct {
		object metav1.PartialObjectMetadata
		want   []string // manager, and whether it is what kubectl keeps
	}{
		"by the new one":      {managed("a", "", by("argocd", "storage.k8s.io/v1", at)), nil},
		"by the old one":      {managed("a", "", by("argocd", old, at), by("helm", old, at)), []string{"argocd false", "helm false"}},
		"the control plane's": {managed("a", "", by("kube-apiserver", old, at)), nil},
		"applied":             {managed("a", last, by(clientSideApply, old, at)), []string{clientSideApply + " true"}},
		"applied, then newer": {managed("a", last, by(clientSideApply, "storage.k8s.io/v1", at)), []string{clientSideApply + " true"}},
		"no JSON":             {managed("a", "{", by("helm", "storage.k8s.io/v1", at)), nil},
		"of another kind": {managed("a", strings.Replace(last, "VolumeAttributesClass", "StorageClass", 1),
			by("helm", "storage.k8s.io/v1", at)), nil},
	} {
		var got []string
		for _, w := range writesOf(&c.object, gvk, wanted) {
			flag := " false"
			if w.Applied {
				flag = " true"
			}
			got = append(got, w.Manager+flag)
			if w.API != old || w.Team != "payments" || !w.At.Equal(at) || w.Object.String() != "VolumeAttributesClass a" {
				t.Errorf("%s: %+v", name, w)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestNewestRecords: what `helm upgrade` reads first is the revision that is deployed, else the newest; what is uninstalled is history.
func TestNewestRecords(t *testing.T) {
	got := newestRecords([]record{
		{namespace: "a", name: "web", status: "superseded", revision: 1}, {namespace: "a", name: "web", status: "deployed", revision: 2},
		{namespace: "a", name: "web", status: "failed", revision: 3}, {namespace: "a", name: "api", status: "failed", revision: 9},
		{namespace: "a", name: "api", status: "failed", revision: 10}, {namespace: "a", name: "gone", status: "uninstalled", revision: 4},
	})
	if len(got) != 2 || got[0].name != "api" || got[0].revision != 10 || got[1].revision != 2 {
		t.Errorf("%+v", got)
	}
}

// TestReleaseRecordsAreReadOneByOne: a list of them has only metadata, and what of them can't be read is an error.
func TestReleaseRecordsAreReadOneByOne(t *testing.T) {
	a := newAuthority(t)
	var mu sync.Mutex
	var whole int
	addr, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		list := strings.HasSuffix(r.URL.Path, "/secrets") || strings.HasSuffix(r.URL.Path, "/configmaps")
		switch {
		case list && !strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList"):
			http.Error(w, "whole Secrets are asked for", http.StatusBadRequest)
		case list:
			out := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}}
			if strings.HasSuffix(r.URL.Path, "/secrets") {
				o := managed("sh.helm.release.v1.web.v2", "")
				o.Namespace, o.Labels = "shop", map[string]string{"name": "web", "version": "2", "status": "deployed", "owner": "helm"}
				out.Items = append(out.Items, o)
			}
			_ = json.NewEncoder(w).Encode(out)
		default:
			mu.Lock()
			whole++
			mu.Unlock()
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":{"release":"aGVsbG8="}}`))
		}
	}))
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "c1", Address: addr}}, Options{})
	defer c.Close()
	var told []string
	err := c.ReleaseRecords(t.Context(), func(namespace, name string, revision int, payload []byte) {
		told = append(told, namespace+"/"+name+" "+string(payload))
	})
	if err != nil || whole != 1 || !slices.Equal(told, []string{"shop/web hello"}) {
		t.Errorf("%q, %d read whole, %v", told, whole, err)
	}
}

func TestTeamOf(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{{nil, ""}, {map[string]string{"team": "a", "x/team": "b"}, "a"}, {map[string]string{"z/team": "c", "x/team": "b"}, "b"},
		{map[string]string{"steam": "c"}, ""}} {
		if got := teamOf(c.labels); got != c.want {
			t.Errorf("%v: %q", c.labels, got)
		}
	}
}
