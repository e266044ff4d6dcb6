package probe

import (
	"context"
	"reflect"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

func TestReady(t *testing.T) {
	of := func(address string, ready, serving, terminating *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{address},
			Conditions: discoveryv1.EndpointConditions{Ready: ready, Serving: serving, Terminating: terminating}}
	}
	yes, no := ptr.To(true), ptr.To(false)
	port := []discoveryv1.EndpointPort{{Port: ptr.To[int32](8080)}}
	got := ready([]*discoveryv1.EndpointSlice{
		{Ports: port, Endpoints: []discoveryv1.Endpoint{
			of("10.244.0.9", yes, yes, no),
			of("10.244.0.2", nil, nil, nil),
			of("10.244.0.3", no, yes, no),
			of("10.244.0.4", yes, no, no),
			of("10.244.0.5", no, yes, yes),
			of("10.244.0.6", yes, yes, yes),
			{},
		}},
		{Endpoints: []discoveryv1.Endpoint{of("10.244.0.7", yes, yes, no)}},               // no port
		{Ports: port, Endpoints: []discoveryv1.Endpoint{of("10.244.0.9", nil, nil, nil)}}, // listed twice while it moves
	})
	if want := []endpoint{{address: "10.244.0.2:8080"}, {address: "10.244.0.9:8080"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestCounts(t *testing.T) {
	p, err := New(Options{Kubeconfig: []byte(config), Namespace: "shop", Service: "web"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 2, 3, 3, 1, 2, 3} {
		p.seeReady(n, 3)
	}
	if r := p.Report(); r.MinReady != 1 || r.MinReadyAt.IsZero() {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx); err == nil {
		t.Error("began without a single endpoint")
	}
	for name, o := range map[string]Options{
		"no service":   {Kubeconfig: []byte(config), Namespace: "shop"},
		"no server":    {Kubeconfig: []byte("{}"), Namespace: "shop", Service: "web"},
		"a wrong rate": {Kubeconfig: []byte(config), Namespace: "shop", Service: "web", Rate: -1},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

const config = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {token: t}}]
`
