package kubelet

import "testing"

func TestNeverReadyIsOfAVersionOrOfAny(t *testing.T) {
	old, recent, none := "v1.35.7+k0s.0", "v1.36.3+k0s.2", ""
	for _, tt := range []struct {
		set  bool
		only *string
		want bool
	}{{false, nil, true}, {false, &old, true}, {true, nil, false}, {true, &none, false}, {true, &old, false}, {true, &recent, true}} {
		var f Faults
		f.NeverReady.Store(tt.set)
		f.NeverReadyVersion.Store(tt.only)
		if got := f.ready(old); got != tt.want {
			t.Errorf("never ready %t of %v: ready %t", tt.set, tt.only, got)
		}
	}
}
