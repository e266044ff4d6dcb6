package kube

import (
	"errors"
	"fmt"
	"net/url"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestNotAsked: an API that hangs on all controllers is said once, with their names, and not as the library's words about one question.
func TestNotAsked(t *testing.T) {
	hung := errors.New("net/http: TLS handshake timeout")
	asked := fmt.Errorf("list nodes: %w", &url.Error{Op: "Get", URL: "https://10.0.0.11:6443/api/v1/nodes", Err: hung})
	silent := func(host string) lifecycle.APIServer { return lifecycle.APIServer{Host: host, Why: hung.Error()} }
	for name, c := range map[string]struct {
		err     error
		servers []lifecycle.APIServer
		want    string
	}{
		"all of them": {asked, []lifecycle.APIServer{silent("c1"), silent("c2")}, "no API server is ready: c1, c2: TLS handshake timeout"},
		"each in its way": {asked, []lifecycle.APIServer{silent("c1"), {Host: "c2", Why: "[-]etcd failed"}},
			"no API server is ready: c1: TLS handshake timeout; c2: [-]etcd failed"},
		"one of them": {asked, []lifecycle.APIServer{silent("c1"), {Host: "c2", Ready: true}},
			"no answer from 10.0.0.11:6443: TLS handshake timeout"},
		"none known":  {asked, nil, "no answer from 10.0.0.11:6443: TLS handshake timeout"},
		"it answered": {errors.New("forbidden"), []lifecycle.APIServer{silent("c1")}, "Kubernetes API: forbidden"},
	} {
		got := notAsked(c.err, c.servers)
		if got.Error() != c.want || !errors.Is(got, c.err) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
