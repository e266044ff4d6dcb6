package machine

import (
	"context"
	"fmt"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

// How long a reboot takes: time for the command that asked for it to end, and for the machine to be away.
const (
	untilDown = 300 * time.Millisecond
	whileDown = time.Second
)

// reboot lets the machine go down in a moment and come back.
func (m *Machine) reboot() {
	m.event("reboots by itself")
	go func() {
		time.Sleep(untilDown)
		m.PowerOff()
		time.Sleep(whileDown)
		if err := m.PowerOn(); err != nil {
			m.event("does not come back: " + err.Error())
		}
	}()
}

// rebootProgram is /sbin/reboot; shutdownProgram knows "shutdown -r now".
func (m *Machine) rebootProgram(_ context.Context, c *posix.Call) int {
	if c.User.UID != 0 {
		fmt.Fprintf(c.Err, "%s: must be superuser.\n", c.Args[0])
		return 1
	}
	m.reboot()
	return 0
}

func (m *Machine) shutdownProgram(ctx context.Context, c *posix.Call) int {
	if len(c.Args) < 2 || c.Args[1] != "-r" || len(c.Args) == 3 && c.Args[2] != "now" || len(c.Args) > 3 {
		fmt.Fprintln(c.Err, "shutdown: this machine knows `shutdown -r [now]`")
		return 1
	}
	return m.rebootProgram(ctx, c)
}
