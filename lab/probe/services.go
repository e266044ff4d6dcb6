package probe

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"kiban.dev/kiban/lab/kubelet"
)

// services are the Services of a cluster with their endpoints, asked in turn.
type services struct {
	mu sync.Mutex
	// all are those that had a ready endpoint, also those that are gone; active are those to ask, in the order of their coming.
	all    map[name]*service
	active []*service
	turn   int
	// serves are the ports on which pods answer. A pod that is gone keeps its entry: an endpoint that outlives its pod is to be asked.
	serves map[string][]int32
}

// service is one Service.
type service struct {
	name      name
	slices    map[string]*discoveryv1.EndpointSlice
	endpoints []endpoint
	turn      int
	active    bool
	report    ServiceReport
}

func newServices() *services {
	return &services{all: map[name]*service{}, serves: map[string][]int32{}}
}

// pod notes on which ports a pod answers. Its Services are looked at again when that is news.
func (s *services) pod(pod *corev1.Pod) {
	key, ports := pod.Namespace+"/"+pod.Name, kubelet.ServedPorts(pod)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ports) == 0 || slices.Equal(s.serves[key], ports) {
		return
	}
	s.serves[key] = ports
	for _, v := range s.all {
		if v.name.namespace == pod.Namespace && v.names(key) {
			s.settle(v)
		}
	}
}

// names reports whether an endpoint of the Service is that pod.
func (v *service) names(pod string) bool {
	for _, slice := range v.slices {
		for _, e := range slice.Endpoints {
			if target(e) == pod {
				return true
			}
		}
	}
	return false
}

// slice takes in an EndpointSlice as it is now; gone: it was deleted.
func (s *services) slice(slice *discoveryv1.EndpointSlice, gone bool) {
	of := name{slice.Namespace, slice.Labels[discoveryv1.LabelServiceName]}
	if of.name == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.all[of]
	if v == nil {
		v = &service{name: of, slices: map[string]*discoveryv1.EndpointSlice{},
			report: ServiceReport{Namespace: of.namespace, Name: of.name}}
		s.all[of] = v
	}
	delete(v.slices, slice.Name)
	if !gone {
		v.slices[slice.Name] = slice
	}
	s.settle(v)
}

// settle takes the Service's endpoints from its slices. From its first one on the Service is asked.
func (s *services) settle(v *service) {
	v.endpoints = nil
	for _, slice := range v.slices {
		v.endpoints = append(v.endpoints, s.ready(slice)...)
	}
	v.endpoints = sorted(v.endpoints)
	if len(v.endpoints) > 0 && !v.active {
		v.active, v.report.Gone = true, time.Time{}
		s.active = append(s.active, v)
	}
}

// ready are the endpoints of a slice that traffic may go to and whose pods answer, each at the slice's first port on which it does.
func (s *services) ready(slice *discoveryv1.EndpointSlice) []endpoint {
	var list []endpoint
	for _, e := range slice.Endpoints {
		if !takesTraffic(e) {
			continue
		}
		for _, p := range slice.Ports {
			if p.Port != nil && slices.Contains(s.serves[target(e)], *p.Port) {
				list = append(list, endpoint{address: net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*p.Port))), pod: target(e)})
				break
			}
		}
	}
	return list
}

// gone notes that a Service was deleted.
func (s *services) gone(of name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.all[of]
	if v == nil || !v.active {
		return
	}
	v.active, v.report.Gone = false, time.Now()
	clear(v.slices) // they go after it
	s.active = slices.DeleteFunc(s.active, func(o *service) bool { return o == v })
}

// next is the Service whose turn it is, and its endpoint; that is empty when none is ready.
func (s *services) next() (*service, endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.active) == 0 {
		return nil, endpoint{}
	}
	s.turn = (s.turn + 1) % len(s.active)
	v := s.active[s.turn]
	if len(v.endpoints) == 0 {
		return v, endpoint{}
	}
	v.turn = (v.turn + 1) % len(v.endpoints)
	return v, v.endpoints[v.turn]
}

// ask sends one request to whoever's turn it is.
func (s *services) ask(client *http.Client) {
	at := time.Now()
	v, e := s.next()
	if v == nil {
		return
	}
	err := errors.New("no endpoint is ready")
	if e.address != "" {
		err = request(client, e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !v.active {
		return // it was deleted while it was asked
	}
	v.report.Requests++
	if err == nil {
		return
	}
	v.report.Failures++
	if len(v.report.Failed) < keptOfService {
		v.report.Failed = append(v.report.Failed, Failure{At: at, Endpoint: e.address, Pod: e.pod, Error: err.Error()})
	}
}

func (s *services) report() []ServiceReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []ServiceReport{}
	for _, n := range sortedNames(s.all) {
		r := s.all[n].report
		if r.Requests == 0 && !s.all[n].active {
			continue
		}
		r.Failed = slices.Clone(r.Failed)
		list = append(list, r)
	}
	return list
}
