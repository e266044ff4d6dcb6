package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
)

// NetAuto as a lab's Net takes addresses that no other lab of this computer has.
const NetAuto = "auto"

// nets are the third octets that a lab's machines need: one, and one more for every hundred workers beyond the first.
func nets(specs []Spec) int {
	workers := 0
	for _, s := range specs {
		if s.Role == RoleWorker {
			workers++
		}
	}
	return max(1, (workers+99)/100)
}

// claim takes a net for this process, and as many after it as the lab needs: it listens at the first address of each, which no machine has.
// A lab that is killed gives its claim up by that. The error is syscall.EADDRINUSE when another lab has one of them.
func claim(first string, n int) (release func(), err error) {
	from, err := netip.ParseAddr(first + ".1")
	if err != nil {
		return nil, err
	}
	var held []net.Listener
	release = func() {
		for _, l := range held {
			l.Close()
		}
	}
	octets := from.As4()
	for i := range n {
		third := int(octets[2]) + i
		address := fmt.Sprintf("%d.%d.%d.1:%d", octets[0], int(octets[1])+third/256, third%256, Port)
		l, err := net.Listen("tcp4", address)
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, l)
	}
	return release, nil
}

// free are nets to try in turn, from one by chance on, so that labs that start at once seldom try the same. They are apart from those that
// people and tests give by hand, and from the addresses of pods (127.244).
func free(n int) func(yield func(string) bool) {
	const first, last = 112, 159
	return func(yield func(string) bool) {
		perSecond := max(1, 256/n)
		count := (last - first + 1) * perSecond
		start := rand.IntN(count)
		for i := range min(count, 1000) {
			k := (start + i) % count
			if !yield(fmt.Sprintf("127.%d.%d", first+k/perSecond, k%perSecond*n)) {
				return
			}
		}
	}
}

// inUse reports whether an address was another's already.
func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
