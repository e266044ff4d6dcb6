package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/restmapper"

	"kiban.dev/kiban/lifecycle"
)

// TestStoredOf: what is counted is what the API keeps itself, once, by the name that etcd's keys have, in the version that it prefers.
func TestStoredOf(t *testing.T) {
	all := []string{"get", "list", "create", "delete"}
	// As Helm does it to client-go's scheme, for the whole process.
	metav1.AddToGroupVersion(scheme.Scheme, schema.GroupVersion{Group: "apiextensions.k8s.io", Version: "v1"})
	resources := func(names ...string) (out []metav1.APIResource) {
		for _, name := range names {
			r := metav1.APIResource{Name: name, Verbs: all}
			if strings.HasPrefix(name, "?") {
				r = metav1.APIResource{Name: name[1:], Verbs: all[:2]}
			}
			out = append(out, r)
		}
		return out
	}
	group := func(name, preferred string, versions map[string][]metav1.APIResource) *restmapper.APIGroupResources {
		g := &restmapper.APIGroupResources{VersionedResources: versions}
		g.Group.Name, g.Group.PreferredVersion.Version = name, preferred
		for v := range versions {
			g.Group.Versions = append(g.Group.Versions, metav1.GroupVersionForDiscovery{Version: v})
		}
		return g
	}
	for _, c := range []struct {
		group *restmapper.APIGroupResources
		want  string
	}{
		{group("", "v1", map[string][]metav1.APIResource{"v1": resources("pods", "pods/status", "?componentstatuses")}), "pods=v1"},
		{group("autoscaling", "v2", map[string][]metav1.APIResource{"v1": resources("hpas", "olds"), "v2": resources("hpas")}),
			"hpas=v2 olds=v1"},
		{group("apiextensions.k8s.io", "v1", map[string][]metav1.APIResource{"v1": resources("crds")}), "crds.apiextensions.k8s.io=v1"},
		{group("example.com", "v1", map[string][]metav1.APIResource{"v1": resources("widgets")}), "widgets.example.com=v1"},
		{group("metrics.k8s.io", "v1", map[string][]metav1.APIResource{"v1": resources("?pods")}), ""},
	} {
		var got []string
		for name, r := range storedOf(c.group, nil, kubernetesOwn()) {
			got = append(got, name+"="+r.Version)
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.group.Group.Name, text, c.want)
		}
	}
}

// TestContentsAsksOnceAKind: the API says how many follow the first, and is asked for nothing but metadata.
func TestContentsAsksOnceAKind(t *testing.T) {
	a := newAuthority(t)
	var mu sync.Mutex
	lists := map[string]int{}
	addr, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		switch {
		case discover(r.URL.Path) != nil:
			answer(discover(r.URL.Path))
		case name == "kube-system":
			answer(object{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"name": "kube-system", "uid": "u-1"}})
		case name == "apiservices":
			answer(object{"kind": "APIServiceList", "apiVersion": "apiregistration.k8s.io/v1", "items": []any{}})
		case name == "secrets":
			w.WriteHeader(http.StatusForbidden)
			answer(object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "message": "not yours", "code": 403})
		default:
			if !strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") || r.URL.Query().Get("limit") != "1" {
				t.Errorf("%s is asked for with %q", r.URL, r.Header.Get("Accept"))
			}
			mu.Lock()
			lists[name]++
			mu.Unlock()
			one := map[string]any{"metadata": map[string]any{"name": "a"}}
			answer(object{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": []any{one},
				"metadata": map[string]any{"continue": "more", "remainingItemCount": 41}})
		}
	}))
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "c1", Address: addr}}, Options{})
	defer c.Close()
	got, err := c.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Cluster != "u-1" || got.Objects["pods"] != (lifecycle.Amount{Least: 42, Most: 42}) || len(got.Objects) != len(lists) ||
		got.Unknown["secrets"] == "" {
		t.Errorf("%+v", got)
	}
	for name, n := range lists {
		if n != 1 {
			t.Errorf("%s is asked for %d times", name, n)
		}
	}
}

// TestBackupRecords: a cluster keeps its last backups, and the last proof whatever is taken after it. A later write loses no proof.
func TestBackupRecords(t *testing.T) {
	var data map[string]string
	put := func(i int, proven *lifecycle.Proof) {
		t.Helper()
		r := lifecycle.BackupRecord{Format: lifecycle.ProofFormat, Name: fmt.Sprintf("s-v1.35.7+k0s.0-%02d.tar.gz", i), Digest: "d",
			Taken: fmt.Sprintf("2026-11-%02dT00:00:00Z", i), Proven: proven}
		var err error
		if data, err = withBackup(data, r); err != nil {
			t.Fatal(err)
		}
	}
	put(1, nil)
	put(2, nil)
	put(1, &lifecycle.Proof{Backup: "1", At: "2026-11-03T00:00:00Z"})
	put(1, nil)
	for i := 3; i <= 20; i++ {
		put(i, nil)
	}
	all := readBackups(data)
	if len(all) != backupsKept+1 || all[0].Taken != "2026-11-20T00:00:00Z" || newestProof(all) == nil || newestProof(all).Backup != "1" {
		t.Errorf("kept are %d: %+v", len(all), all)
	}
	for key := range data {
		if strings.Contains(key, "+") {
			t.Errorf("%q is no key of a ConfigMap", key)
		}
	}
	if got := readBackups(map[string]string{"x": "{", "y": `{"format":"2.0","name":"y"}`}); len(got) > 0 {
		t.Errorf("what is no record is one: %v", got)
	}
}
