package kubelet

import (
	"fmt"
	"sync"

	"kiban.dev/kiban/lab/controlplane"
)

// addresses hands out pod addresses in 10.244.0.0/16. One is not used again until all others were, so that a client that holds on to the
// address of a pod that is gone finds nobody there.
type addresses struct {
	mu   sync.Mutex
	next int
	used map[int]bool
}

const addressCount = 1 << 16

func newAddresses() *addresses { return &addresses{next: 2, used: map[int]bool{}} }

// take returns a free address.
func (a *addresses) take() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range addressCount {
		n := a.next
		a.next = (a.next + 1) % addressCount
		if last := n & 0xff; last == 0 || last == 0xff || a.used[n] {
			continue
		}
		a.used[n] = true
		return fmt.Sprintf("10.244.%d.%d", n>>8, n&0xff), nil
	}
	return "", fmt.Errorf("all of 10.244.0.0/16 is in use")
}

// free gives an address back. What is not one of these is ignored.
func (a *addresses) free(ip string) {
	var high, low int
	if _, err := fmt.Sscanf(ip, "10.244.%d.%d", &high, &low); err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, high<<8|low)
}

// ListeningAt is where the lab's pod with this address listens when it declares that port.
func ListeningAt(podIP string, port int) string { return controlplane.ListeningAt(podIP, port) }
