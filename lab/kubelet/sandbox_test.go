package kubelet

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestFarewell(t *testing.T) {
	serving := map[string]string{AnnotationServe: "true"}
	with := func(key, value string) map[string]string {
		return map[string]string{AnnotationServe: "true", key: value}
	}
	for name, c := range map[string]struct {
		marks         map[string]string
		grace         int64
		serves, lasts time.Duration
		wrong         bool
	}{
		"one that serves nobody":         {nil, 30, 0, time.Second, false},
		"one that serves":                {serving, 30, 2 * time.Second, 2 * time.Second, false},
		"a longer drain":                 {with(AnnotationDrain, "7.5"), 30, 7500 * time.Millisecond, 7500 * time.Millisecond, false},
		"no drain":                       {with(AnnotationDrain, "0"), 30, 0, time.Second, false},
		"slow to end":                    {with(AnnotationTerminateAfter, "20s"), 30, 2 * time.Second, 20 * time.Second, false},
		"slower than its grace":          {with(AnnotationTerminateAfter, "20s"), 5, 2 * time.Second, 5 * time.Second, false},
		"a drain longer than its grace":  {with(AnnotationDrain, "60"), 5, 5 * time.Second, 5 * time.Second, false},
		"no grace":                       {serving, 0, 0, 0, false},
		"a drain that is no number":      {with(AnnotationDrain, "soon"), 30, 0, 0, true},
		"an ending that is not a period": {with(AnnotationTerminateAfter, "20"), 30, 0, 0, true},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: c.marks, DeletionGracePeriodSeconds: &c.grace}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}},
		}}
		serves, lasts, err := farewell(pod, time.Second)
		if (err != nil) != c.wrong || serves != c.serves || lasts != c.lasts {
			t.Errorf("%s: serves %v, lasts %v, %v", name, serves, lasts, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	a := newAddresses()
	first, err := a.take()
	if err != nil {
		t.Fatal(err)
	}
	a.free(first)
	second, err := a.take()
	if err != nil || second == first {
		t.Errorf("%s was given out twice in a row (%v)", second, err)
	}
	a.free("127.88.0.101") // of a pod on the host network
	seen := map[string]bool{second: true}
	for {
		ip, err := a.take()
		if err != nil {
			break
		}
		if seen[ip] {
			t.Fatalf("%s was given out twice", ip)
		}
		seen[ip] = true
	}
	if len(seen) != 256*254 {
		t.Errorf("%d addresses", len(seen))
	}
	if got := ListeningAt(first, 8080) + " " + ListeningAt(first, 443) + " " + ListeningAt("127.88.0.101", 80); got !=
		"127.244.0.2:8080 127.244.0.2:50443 127.88.0.101:50080" {
		t.Error(got)
	}
}

// TestServedPorts: those that a pod declares, or those that it is told, which is what a Service's target may be without being declared.
func TestServedPorts(t *testing.T) {
	for said, want := range map[string][]int32{"": nil, "true": {8080}, "false": nil, "80, 9090": {80, 9090}, "0,70000,x,7": {7}} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationServe: said}}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080},
				{ContainerPort: 53, Protocol: corev1.ProtocolUDP}}}},
		}}
		if got := ServedPorts(pod); !slices.Equal(got, want) {
			t.Errorf("%q: %v, not %v", said, got, want)
		}
	}
}
