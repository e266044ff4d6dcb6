package kube

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// TestPodsOfALargeClusterComeInPages: 100,000 pods are 200 requests of 500, those that have ended are not sent at all, and none is held
// whole.
func TestPodsOfALargeClusterComeInPages(t *testing.T) {
	const all = 100_000
	var asked atomic.Int32
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if !strings.HasSuffix(r.URL.Path, "/pods") || limit == 0 || r.URL.Query().Get("fieldSelector") != unfinished {
			http.Error(w, r.URL.String(), http.StatusBadRequest)
			return
		}
		asked.Add(1)
		next := ""
		if from+limit < all {
			next = strconv.Itoa(from + limit)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":%q},"items":[`, next)
		for i := from; i < min(from+limit, all); i++ {
			if i > from {
				_, _ = w.Write([]byte{','})
			}
			fmt.Fprintf(w, `{"metadata":{"namespace":"shop","name":"web-%d","uid":"%d"},"spec":{"nodeName":"w%d"},"status":{"phase":"Running"}}`,
				i, i, i%1000)
		}
		_, _ = w.Write([]byte("]}"))
	}))
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "controller-1", Address: addr}}, Options{})
	defer c.Close()
	if err := c.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	pods, err := c.listPods(t.Context(), "", "")
	if err != nil || len(pods) != all || pods[all-1].name != "web-99999" {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	if n := asked.Load(); n != all/podChunk {
		t.Errorf("%d requests, want %d", n, all/podChunk)
	}
}
