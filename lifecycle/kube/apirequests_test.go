package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// metricsText is what an API server says of itself, by requests for a deprecated API that a release removes, and one that none does.
func metricsText() string {
	class := `group="storage.k8s.io",resource="volumeattributesclasses"`
	return `# HELP apiserver_request_total Counter of requests
apiserver_request_total{code="200",component="apiserver",` + class + `,scope="cluster",subresource="",verb="LIST",version="v1beta1"} 3
apiserver_request_total{code="404",component="apiserver",` + class + `,scope="resource",subresource="",verb="GET",version="v1beta1"} 2
apiserver_request_total{code="200",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"} 900
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{` + class + `,removed_release="1.37",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1
process_start_time_seconds 1.7957376e+09
`
}

func TestReadRequests(t *testing.T) {
	at := time.Unix(1795741200, 0)
	got, err := readRequests(strings.NewReader(metricsText()), at)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1795737600, 0).UTC()
	want := []lifecycle.APIRequest{
		{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses", Removed: "1.37", Count: 5, Since: start, Start: start,
			Until: at, Read: at},
		{Version: "v1", Resource: "endpoints", Since: start, Start: start, Until: at, Read: at},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if _, err := readRequests(strings.NewReader("<html>a proxy's login</html>"), at); err == nil {
		t.Error("what is no API server's is taken for one that was asked for nothing")
	}
	long := metricDeprecated + `{group="` + strings.Repeat("x", 1<<20) + `"} 1` + "\n" + metricsText()
	if got, err := readRequests(strings.NewReader(long), at); err != nil || len(got) != 2 {
		t.Errorf("a line of a MiB: %d, %v", len(got), err)
	}
	if l, v := sample(`m{a="x\"y\\z",b="1"} 7 1700000000`); v != 7 || l["a"] != `x"y\z` || l["b"] != "1" {
		t.Errorf("%v %v", l, v)
	}
	for _, bad := range []string{`m{a="x`, `m{`, `m{a="x"} NaNN`, ``} {
		if l, v := sample(bad); v != 0 {
			t.Errorf("%s: %v %v", bad, l, v)
		}
	}
}

// TestEveryAPIServerIsAskedItself: each counts for itself, and one that forbids its metrics is not one that was asked for nothing.
func TestEveryAPIServerIsAskedItself(t *testing.T) {
	a := newAuthority(t)
	tells, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = fmt.Fprint(w, metricsText())
		}
	}))
	forbids, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}))
	c := New(given(a.kubeconfig(tells)), []Server{{Host: "c1", Address: tells}, {Host: "c2", Address: forbids}}, Options{})
	defer c.Close()
	got := c.APIRequests(t.Context())
	if len(got) != 2 || got[0].Name != "c1" || len(got[0].Value) != 2 || got[0].Value[0].Server != "c1" {
		t.Errorf("%+v", got)
	}
	if got[1].Name != "c2" || !strings.Contains(got[1].Unknown, "forbidden") {
		t.Errorf("%+v", got[1])
	}
	if _, err := c.RequestsOf(t.Context(), "c3"); err == nil {
		t.Error("a host without an API server has counted")
	}
}

func TestTheClusterKeepsRequests(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	if kept, err := c.KeptRequests(t.Context()); err != nil || len(kept) > 0 {
		t.Fatalf("%+v, %v", kept, err)
	}
	one := lifecycle.APIRequest{Group: "g", Version: "v1beta1", Resource: "things", Server: "c1", Count: 4,
		Until: time.Unix(1795737600, 0).UTC()}
	add := func(kept []lifecycle.APIRequest) []lifecycle.APIRequest { return append(kept, one) }
	for range 2 {
		if err := c.KeepRequests(t.Context(), add); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := c.KeptRequests(t.Context())
	if err != nil || len(kept) != 2 || kept[0] != one {
		t.Errorf("%+v, %v", kept, err)
	}
	none := func([]lifecycle.APIRequest) []lifecycle.APIRequest { return nil }
	if err := c.KeepRequests(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	f.put("configmaps", object{"metadata": map[string]any{"namespace": "kube-system", "name": requestsName},
		"data": map[string]any{requestsKey: `{"format":"2.0"}`}})
	if _, err := c.KeptRequests(t.Context()); err == nil {
		t.Error("another format is read")
	}
	if err := c.KeepRequests(t.Context(), add); err == nil {
		t.Error("another format is written over")
	}
}
