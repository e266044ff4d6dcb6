package kube

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// staleEndpoints names where EndpointSlices lag behind the pods: endpoints called ready whose pod is gone, ending or not
// Ready, and Ready pods that a Service selects and its slices lack. The lists are read one after another, so an entry may be
// a change in flight; one that stays is a control plane that does not follow.
func staleEndpoints(services []corev1.Service, endpointSlices []discoveryv1.EndpointSlice, pods []pod) []string {
	byName := make(map[string]*pod, len(pods))
	byNamespace := map[string][]*pod{}
	for i := range pods {
		p := &pods[i]
		byName[p.String()] = p
		byNamespace[p.namespace] = append(byNamespace[p.namespace], p)
	}
	var stale []string
	listed := map[string]bool{} // "namespace/service/pod"
	tolerant := map[string]bool{}
	for i := range services {
		tolerant[services[i].Namespace+"/"+services[i].Name] = services[i].Spec.PublishNotReadyAddresses
	}
	for i := range endpointSlices {
		s := &endpointSlices[i]
		service := s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]
		for j := range s.Endpoints {
			e := &s.Endpoints[j]
			if e.TargetRef == nil || e.TargetRef.Kind != "Pod" || !readyEndpoint(e) {
				continue
			}
			listed[service+"/"+e.TargetRef.Name] = true
			name := s.Namespace + "/" + e.TargetRef.Name
			if why := outdated(e, byName[name], tolerant[service]); why != "" {
				stale = append(stale, name+": "+why)
			}
		}
	}
	for i := range services {
		s := &services[i]
		if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		selector := labels.SelectorFromSet(s.Spec.Selector)
		for _, p := range byNamespace[s.Namespace] {
			if p.ready && !p.terminating && !p.finished() && p.ip != "" && selector.Matches(labels.Set(p.labels)) &&
				!listed[s.Namespace+"/"+s.Name+"/"+p.name] {
				stale = append(stale, p.String()+": "+p.ip+" is not among the endpoints of "+s.Name)
			}
		}
	}
	slices.Sort(stale)
	return slices.Compact(stale)
}

func readyEndpoint(e *discoveryv1.Endpoint) bool {
	return e.Conditions.Ready == nil || *e.Conditions.Ready
}

// outdated says what is wrong with an endpoint that is called ready, given its pod as it is; "" when nothing is.
func outdated(e *discoveryv1.Endpoint, p *pod, tolerant bool) string {
	addr := "its address"
	if len(e.Addresses) > 0 {
		addr = e.Addresses[0]
	}
	switch {
	case p == nil, e.TargetRef.UID != "" && p.uid != e.TargetRef.UID:
		return addr + " is gone"
	case tolerant: // publishNotReadyAddresses: the Service wants them listed whatever their state
		return ""
	case p.terminating:
		return addr + " is terminating"
	case !p.ready:
		return addr + " is not Ready"
	}
	return ""
}
