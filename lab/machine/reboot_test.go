package machine

import (
	"strings"
	"testing"
	"time"
)

// Each way to ask for a reboot takes the machine away and brings it back with another boot id; nobody but root may ask.
func TestReboot(t *testing.T) {
	m := lab(t, 0, 1).Machine("worker-1")
	const id = "cat /proc/sys/kernel/random/boot_id"
	for _, command := range []string{"systemctl reboot", "reboot", "shutdown -r now"} {
		before := run(m, "root", id, "").out
		if got := run(m, "ops", command, ""); got.status == 0 {
			t.Errorf("%s by a user: %s", command, got)
		}
		if got := run(m, "root", command, ""); got.status != 0 {
			t.Fatalf("%s: %s", command, got)
		}
		down := false
		deadline := time.Now().Add(10 * time.Second)
		for !down || !m.On() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: down %t, on again %t", command, down, m.On())
			}
			down = down || !m.On()
			time.Sleep(5 * time.Millisecond)
		}
		if after := run(m, "root", id, "").out; after == before || strings.TrimSpace(after) == "" {
			t.Errorf("%s: boot id %q before, %q after", command, before, after)
		}
	}
}
