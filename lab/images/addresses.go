package images

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// annotationPool says from which pool a Service wants its address.
const annotationPool = "metallb.io/address-pool"

// pool is an IPAddressPool.
type pool struct {
	name   string
	ranges []addressRange
	// auto: Services that name no pool may have its addresses.
	auto bool
}

// metalLBAddresses gives Services of type LoadBalancer an address of MetalLB's pools, the first that is free, and takes it back when the
// Service or the pool goes.
func metalLBAddresses(c corev1.Container) Program {
	class := ""
	for _, arg := range c.Args {
		if v, ok := strings.CutPrefix(arg, "--lb-class="); ok {
			class = v
		}
	}
	return func(ctx context.Context, e Env) {
		client, err := dynamic.NewForConfig(e.Config)
		if err != nil {
			e.Log.Warn("no client", "pod", e.Pod.Name, "error", err)
			return
		}
		services := informers.NewSharedInformerFactory(e.Client, 0)
		pools := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, e.Pod.Namespace, nil)
		serviceList, poolList := services.Core().V1().Services().Informer(), pools.ForResource(poolResource()).Informer()
		changed := make(chan struct{}, 1)
		note := func(any) {
			select {
			case changed <- struct{}{}:
			default: // it is known already
			}
		}
		handler := cache.ResourceEventHandlerFuncs{AddFunc: note, UpdateFunc: func(_, o any) { note(o) }, DeleteFunc: note}
		for _, informer := range []cache.SharedIndexInformer{serviceList, poolList} {
			if _, err := informer.AddEventHandler(handler); err != nil {
				return // only an informer that was stopped refuses
			}
		}
		services.Start(ctx.Done())
		pools.Start(ctx.Done())
		if !cache.WaitForCacheSync(ctx.Done(), serviceList.HasSynced, poolList.HasSynced) {
			return
		}
		again := time.NewTicker(2 * time.Second) // for what a conflict has left undone
		defer again.Stop()
		for {
			assign(ctx, e, class, listed[*corev1.Service](serviceList), poolsOf(poolList))
			select {
			case <-ctx.Done():
				return
			case <-changed:
			case <-again.C:
			}
		}
	}
}

func listed[T any](informer cache.SharedIndexInformer) []T {
	var list []T
	for _, o := range informer.GetStore().List() {
		if v, ok := o.(T); ok {
			list = append(list, v)
		}
	}
	return list
}

// assign brings the addresses of all Services up to date, oldest first.
func assign(ctx context.Context, e Env, class string, services []*corev1.Service, pools []pool) {
	slices.SortFunc(services, func(a, b *corev1.Service) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	taken := map[netip.Addr]bool{}
	var waiting []*corev1.Service
	for _, s := range services {
		if !ours(s, class) {
			continue
		}
		if a, ok := assigned(s); ok && eligible(s, pools, a) && !taken[a] {
			taken[a] = true
			continue
		}
		waiting = append(waiting, s)
	}
	for _, s := range waiting {
		a, ok := choose(s, pools, taken)
		if ok {
			taken[a] = true
		} else {
			a = netip.Addr{}
		}
		if err := writeAddress(ctx, e, s, a); err != nil && ctx.Err() == nil {
			e.Log.Debug("address not written", "service", s.Name, "error", err)
		}
	}
}

// ours reports whether MetalLB looks after a Service.
func ours(s *corev1.Service, class string) bool {
	theirs := ""
	if s.Spec.LoadBalancerClass != nil {
		theirs = *s.Spec.LoadBalancerClass
	}
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.DeletionTimestamp == nil && theirs == class
}

func assigned(s *corev1.Service) (netip.Addr, bool) {
	if len(s.Status.LoadBalancer.Ingress) == 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s.Status.LoadBalancer.Ingress[0].IP)
	return a, err == nil
}

// wanted are the pools from which a Service may have its address.
func wanted(s *corev1.Service, pools []pool) []addressRange {
	var ranges []addressRange
	name := s.Annotations[annotationPool]
	for _, p := range pools {
		if name == p.name || name == "" && p.auto {
			ranges = append(ranges, p.ranges...)
		}
	}
	return ranges
}

func eligible(s *corev1.Service, pools []pool, a netip.Addr) bool {
	if asked, ok := asks(s); ok && asked != a {
		return false
	}
	return slices.ContainsFunc(wanted(s, pools), func(r addressRange) bool { return r.contains(a) })
}

// asks is the address that a Service wants to have.
func asks(s *corev1.Service) (netip.Addr, bool) {
	text := s.Annotations["metallb.io/loadBalancerIPs"]
	if text == "" {
		text = s.Spec.LoadBalancerIP
	}
	a, err := netip.ParseAddr(text)
	return a, err == nil
}

func choose(s *corev1.Service, pools []pool, taken map[netip.Addr]bool) (netip.Addr, bool) {
	if a, ok := asks(s); ok {
		return a, eligible(s, pools, a) && !taken[a]
	}
	return firstFree(wanted(s, pools), taken)
}

// writeAddress writes the address into the Service's status, or that it has none.
func writeAddress(ctx context.Context, e Env, s *corev1.Service, a netip.Addr) error {
	if !a.IsValid() && len(s.Status.LoadBalancer.Ingress) == 0 {
		return nil
	}
	s = s.DeepCopy()
	s.Status.LoadBalancer.Ingress = nil
	if a.IsValid() {
		vip := corev1.LoadBalancerIPModeVIP
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: a.String(), IPMode: &vip}}
	}
	_, err := e.Client.CoreV1().Services(s.Namespace).UpdateStatus(ctx, s, metav1.UpdateOptions{FieldManager: metalLBManager})
	return err
}
