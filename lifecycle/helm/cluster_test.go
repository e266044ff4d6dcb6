package helm

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	kubefake "helm.sh/helm/v4/pkg/kube/fake"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	restfake "k8s.io/client-go/rest/fake"
	"sigs.k8s.io/yaml"
)

// fakeCluster stands in for Kubernetes: it has objects by name, and fails as it is told. Helm's records are in memory.
type fakeCluster struct {
	kubefake.PrintingKubeClient
	records *driver.Memory

	mu   sync.Mutex
	live map[string][]byte // "configmaps/state" to JSON
	did  []string          // "create Job init", in order
	fail []error           // what the next changes of objects, not of hooks, end with
	hook error             // what hooks end with
	// stop, when it is not nil, is called before objects are changed.
	stop func()
}

func newFakeCluster() *fakeCluster {
	return &fakeCluster{PrintingKubeClient: kubefake.PrintingKubeClient{Out: io.Discard, LogOutput: io.Discard}, records: driver.NewMemory(),
		live: map[string][]byte{}}
}

// client is a Client of this cluster.
func (f *fakeCluster) client(s *Store) *Client {
	c := Releases(Cluster{}, s)
	c.pause = time.Millisecond
	c.open = func(_ context.Context, namespace string) (*action.Configuration, error) {
		f.records.SetNamespace(namespace)
		cfg := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
		cfg.KubeClient, cfg.Releases = f, storage.Init(f.records)
		return cfg, nil
	}
	return c
}

func liveKey(r *resource.Info) string {
	return strings.ToLower(r.Mapping.GroupVersionKind.Kind) + "s/" + r.Name
}

func (f *fakeCluster) Build(r io.Reader, _ bool) (kube.ResourceList, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var out kube.ResourceList
	for _, doc := range documents(content) {
		objects, err := decode(doc, "")
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(o.JSON, &u.Object); err != nil {
				return nil, err
			}
			gvk := schema.FromAPIVersionAndKind(o.APIVersion, o.Kind)
			m := &meta.RESTMapping{GroupVersionKind: gvk, Resource: gvk.GroupVersion().WithResource(strings.ToLower(o.Kind) + "s"),
				Scope: meta.RESTScopeRoot}
			out = append(out, &resource.Info{Client: f.rest(), Mapping: m, Name: o.Name, Object: u})
		}
	}
	return out, nil
}

// rest answers questions after single objects.
func (f *fakeCluster) rest() resource.RESTClient {
	return &restfake.RESTClient{NegotiatedSerializer: resource.UnstructuredPlusDefaultContentConfig().NegotiatedSerializer,
		Client: restfake.CreateHTTPClient(func(req *http.Request) (*http.Response, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			dir, name := path.Split(req.URL.Path)
			content, ok := f.live[path.Base(dir)+"/"+name]
			code := http.StatusOK
			if !ok {
				code = http.StatusNotFound
				content = []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
			}
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(bytes.NewReader(content))}, nil
		})}
}

func (f *fakeCluster) change(verb string, list kube.ResourceList) error {
	for _, r := range list {
		content, err := r.Object.(*unstructured.Unstructured).MarshalJSON()
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.did = append(f.did, verb+" "+r.Mapping.GroupVersionKind.Kind+" "+r.Name)
		if verb == "delete" {
			delete(f.live, liveKey(r))
		} else {
			f.live[liveKey(r)] = content
		}
		f.mu.Unlock()
	}
	return nil
}

// next is what the change in hand ends with.
func (f *fakeCluster) next() error {
	if f.stop != nil {
		f.stop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.fail) == 0 {
		return nil
	}
	err := f.fail[0]
	f.fail = f.fail[1:]
	return err
}

func (f *fakeCluster) Create(list kube.ResourceList, _ ...kube.ClientCreateOption) (*kube.Result, error) {
	if len(list) != 1 || list[0].Mapping.GroupVersionKind.Kind != "Job" { // a hook
		if err := f.next(); err != nil {
			return &kube.Result{}, err
		}
	}
	return &kube.Result{Created: list}, f.change("create", list)
}

func (f *fakeCluster) Update(had, list kube.ResourceList, _ ...kube.ClientUpdateOption) (*kube.Result, error) {
	if err := f.next(); err != nil {
		return &kube.Result{}, err
	}
	if err := f.change("apply", list); err != nil {
		return nil, err
	}
	return &kube.Result{Updated: list}, f.change("delete", had.Difference(list))
}

func (f *fakeCluster) Delete(list kube.ResourceList, _ metav1.DeletionPropagation) (*kube.Result, []error) {
	if err := f.change("delete", list); err != nil {
		return nil, []error{err}
	}
	return &kube.Result{Deleted: list}, nil
}

func (f *fakeCluster) GetWaiterWithOptions(strategy kube.WaitStrategy, opts ...kube.WaitOption) (kube.Waiter, error) {
	if strategy != kube.HookOnlyStrategy {
		return nil, io.ErrUnexpectedEOF // the real client refuses one that is not set
	}
	w := &kubefake.FailingKubeClient{PrintingKubeClient: f.PrintingKubeClient, WatchUntilReadyError: f.hook}
	return w.GetWaiterWithOptions(strategy, opts...)
}

// record is a release's record of that revision.
func (f *fakeCluster) record(t *testing.T, name string, revision int) *release.Release {
	t.Helper()
	r, err := storage.Init(f.records).Get(name, revision)
	if err != nil {
		t.Fatalf("revision %d: %v", revision, err)
	}
	return r.(*release.Release)
}

func (f *fakeCluster) doings() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.did)
}
