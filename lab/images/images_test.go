package images

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
)

func TestParseRange(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/29": "192.0.2.0 192.0.2.7", "192.0.2.9/32": "192.0.2.9 192.0.2.9", "192.0.2.1-192.0.2.9": "192.0.2.1 192.0.2.9",
		"192.0.2.1 - 192.0.2.2": "192.0.2.1 192.0.2.2",
		"2001:db8::/126":        "2001:db8:: 2001:db8::3",
		"":                      "", "192.0.2.1": "", "192.0.2.0/33": "", "192.0.2.9-192.0.2.1": "", "192.0.2.1-2001:db8::1": "", "pool": "",
	} {
		r, err := parseRange(text)
		got := ""
		if err == nil {
			got = r.first.String() + " " + r.last.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q (%v)", text, got, want, err)
		}
	}
}

func addressPool(name, addresses string, auto bool) pool {
	ranges, err := parsePool(name, unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"addresses": []any{addresses}}}})
	if err != nil {
		panic(err)
	}
	return pool{name: name, ranges: ranges, auto: auto}
}

func TestAssign(t *testing.T) {
	balanced := func(name, has string, marks map[string]string) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: marks},
			Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
		if has != "" {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: has}}
		}
		return s
	}
	other := balanced("f-another-class", "", nil)
	class := "another"
	other.Spec.LoadBalancerClass = &class
	services := []*corev1.Service{
		balanced("a-new", "", nil), balanced("b-has-one", "192.0.2.0", nil), balanced("c-of-a-pool-that-went", "203.0.113.1", nil),
		balanced("d-asks", "", map[string]string{"metallb.io/loadBalancerIPs": "192.0.2.3"}),
		balanced("e-named-pool", "", map[string]string{annotationPool: "kept"}), other,
		balanced("g-asks-for-what-is-taken", "", map[string]string{"metallb.io/loadBalancerIPs": "192.0.2.0"}), balanced("h-none-left", "", nil),
	}
	client := fake.NewClientset()
	for _, s := range services {
		if _, err := client.CoreV1().Services("default").Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	e := Env{Client: client, Log: slog.New(slog.DiscardHandler)}
	assign(t.Context(), e, "", services, []pool{addressPool("default", "192.0.2.0-192.0.2.3", true),
		addressPool("kept", "198.51.100.7/32", false)})
	for name, want := range map[string]string{
		"a-new": "192.0.2.1", "b-has-one": "192.0.2.0", "c-of-a-pool-that-went": "192.0.2.2", "d-asks": "192.0.2.3",
		"e-named-pool": "198.51.100.7", "f-another-class": "",
		"g-asks-for-what-is-taken": "", "h-none-left": "",
	} {
		s, err := client.CoreV1().Services("default").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if a, ok := assigned(s); ok {
			got = a.String()
		}
		if got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
}

func TestFirstFree(t *testing.T) {
	p := addressPool("p", "255.255.255.254/31", true)
	taken := map[netip.Addr]bool{}
	for range 2 {
		a, ok := firstFree(p.ranges, taken)
		if !ok {
			t.Fatal("there were two")
		}
		taken[a] = true
	}
	if a, ok := firstFree(p.ranges, taken); ok {
		t.Errorf("a third one: %s", a)
	}
}

func TestLives(t *testing.T) {
	pod := func(image string, policy corev1.RestartPolicy, marks map[string]string, vars ...corev1.EnvVar) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: marks},
			Spec: corev1.PodSpec{RestartPolicy: policy, Containers: []corev1.Container{{Image: image, Env: vars}}}}
	}
	const always, never = corev1.RestartPolicyAlways, corev1.RestartPolicyNever
	for name, c := range map[string]struct {
		pod      *corev1.Pod
		fails    bool
		after    time.Duration
		ends     bool
		programs int
	}{
		"any":                      {pod: pod("example/web:1", always, nil)},
		"a job":                    {pod: pod("example/migrate:1", never, nil), ends: true},
		"one that fails":           {pod: pod("lab.kiban.dev/fails:1", always, nil), fails: true},
		"one that is told to fail": {pod: pod("example/web:1", always, map[string]string{AnnotationFails: "no"}), fails: true},
		"a variable that says so":  {pod: pod("example/web:1", always, nil, corev1.EnvVar{Name: "LAB_FAILS", Value: "no"}), fails: true},
		"a slow one":               {pod: pod("lab.kiban.dev/slow:20", always, nil), after: 20 * time.Second},
		"one that is told to be slow": {pod: pod("example/web:1", always, map[string]string{AnnotationReadyAfter: "3s"}),
			after: 3 * time.Second},
		"MetalLB's controller":         {pod: pod("quay.io/metallb/controller:v0.16.2", always, nil), programs: 2},
		"the same by digest":           {pod: pod("quay.io/metallb/controller@sha256:00", always, nil), programs: 2},
		"a registry with a port":       {pod: pod("localhost:5000/metallb/controller", always, nil)},
		"a server that is no job":      {pod: pod(imageAgnhost+":2.53", always, nil)},
		"a speaker, which has no part": {pod: pod("quay.io/metallb/speaker:v0.16.2", always, nil)},
	} {
		l := Of(c.pod)
		if (l.Fails != "") != c.fails || l.ReadyAfter != c.after || (l.Exit != nil) != c.ends || len(l.Programs) != c.programs {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

func TestNslookup(t *testing.T) {
	yes := true
	client := fake.NewClientset(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes"}})
	ask := func(name string) int32 {
		code, _ := nslookup(context.Background(), client, "default", name)
		return code
	}
	if ask("kubernetes") != 1 {
		t.Error("an answer without DNS")
	}
	_, err := client.DiscoveryV1().EndpointSlices("kube-system").Create(t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-dns-1", Labels: map[string]string{discoveryv1.LabelServiceName: "kube-dns"}},
		Endpoints:  []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: &yes}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int32{"kubernetes": 0, "kubernetes.default": 0, "kubernetes.default.svc.cluster.local.": 0,
		"kubernetes.other": 1, "nowhere": 1} {
		if got := ask(name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
	for _, c := range []struct {
		command []string
		name    string
	}{
		{[]string{"nslookup", "a.b"}, "a.b"}, {[]string{"/bin/sh", "-c", "nslookup -timeout=2 a.b; exit"}, "a.b"},
		{[]string{"sh", "-c", "sleep 1"}, ""},
	} {
		if got, _ := lookedUp(corev1.Container{Command: c.command}); got != c.name {
			t.Errorf("%v: %q", c.command, got)
		}
	}
}
