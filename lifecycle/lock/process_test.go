package lock

import "testing"

// A process is known to have ended only where it would be seen if it had not.
func TestProcessGone(t *testing.T) {
	began := func(pid int) string { return map[int]string{7: "100"}[pid] }
	for _, tt := range []struct {
		name, process, here string
		want                bool
	}{
		{"lives", "boot ns 7 100", "boot ns", false},
		{"ended", "boot ns 8 100", "boot ns", true},
		{"its id is used again", "boot ns 7 99", "boot ns", true},
		{"another machine, or before a reboot", "other ns 8 100", "boot ns", false},
		{"another container", "boot ns2 8 100", "boot ns", false},
		{"not said", "", "boot ns", false},
		{"nonsense", "boot ns x y", "boot ns", false},
		{"a system that does not tell", " 8 100", "", false},
	} {
		if got := ended(tt.process, tt.here, began); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if me := ThisProcess(); me != "" && ProcessGone(me) {
		t.Error("this process is said to have ended")
	}
}
