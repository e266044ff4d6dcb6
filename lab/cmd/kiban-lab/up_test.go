package main

import (
	"strings"
	"testing"
)

// TestALabThatIsInTheWayIsNamed: whoever starts a second lab is told how to have both, or to end the first.
func TestALabThatIsInTheWayIsNamed(t *testing.T) {
	for log, hint := range map[string]bool{
		"kiban-lab: controller-1: listen tcp 127.88.0.11:2222: bind: address already in use\n": true, "kiban-lab: no space left\n": false,
	} {
		why := notUp(log)
		if !strings.HasPrefix(why, "the lab did not come up: ") || strings.Contains(why, "kiban-lab down --dir DIR") != hint {
			t.Errorf("%q: %s", log, why)
		}
	}
}
