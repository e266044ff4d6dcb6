package kube

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lifecycle"
)

func TestWhatKibanHasPutOnANode(t *testing.T) {
	for _, c := range []struct {
		before        string
		on, off, want []string
	}{
		{"", []string{"rack"}, nil, []string{"rack"}},
		{"rack,tier", []string{"rack"}, []string{"tier"}, []string{"rack"}},
		{"rack", nil, []string{"rack"}, nil},
		{"rack", []string{"a=b:NoSchedule"}, nil, []string{"a=b:NoSchedule", "rack"}},
	} {
		if got := owned(c.before, c.on, c.off); !slices.Equal(got, c.want) {
			t.Errorf("%q + %q - %q: %q, want %q", c.before, c.on, c.off, got, c.want)
		}
	}
}

func TestTaintsAfterAChange(t *testing.T) {
	taint := func(s string) corev1.Taint { return taintOf(s) }
	own := taint("own=1:NoSchedule")
	for name, c := range map[string]struct {
		have, want []corev1.Taint
		change     lifecycle.NodeChange
	}{
		"put on": {[]corev1.Taint{own}, []corev1.Taint{own, taint("a=b:NoSchedule")},
			lifecycle.NodeChange{Taints: []string{"a=b:NoSchedule"}}},
		"there already": {[]corev1.Taint{own}, []corev1.Taint{own}, lifecycle.NodeChange{Taints: []string{"own=1:NoSchedule"}}},
		"another value": {[]corev1.Taint{own}, []corev1.Taint{taint("own=2:NoSchedule")},
			lifecycle.NodeChange{Taints: []string{"own=2:NoSchedule"}}},
		"another effect": {[]corev1.Taint{own}, []corev1.Taint{own, taint("own=1:NoExecute")},
			lifecycle.NodeChange{Taints: []string{"own=1:NoExecute"}}},
		"taken off": {[]corev1.Taint{own, taint("a:NoSchedule")}, []corev1.Taint{own},
			lifecycle.NodeChange{Untaint: []string{"a:NoSchedule"}}},
		"another's, not off": {[]corev1.Taint{own}, []corev1.Taint{own}, lifecycle.NodeChange{Untaint: []string{"own=2:NoSchedule"}}},
	} {
		if got := tainted(c.have, c.change); !slices.EqualFunc(got, c.want, sameTaint) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
