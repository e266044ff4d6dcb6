package lifecycle

import (
	"strings"
	"time"
)

// NodeVerb is what is to be done with one machine of a site outside of what its declaration asks for.
type NodeVerb string

const (
	// NodeCordon closes a node for scheduling and NodeDrain empties it too; both leave it so until NodeUncordon.
	NodeCordon   NodeVerb = "cordon"
	NodeDrain    NodeVerb = "drain"
	NodeUncordon NodeVerb = "uncordon"
	// NodeMaintain takes a machine out of service, lets work be done on it, and returns it when it is well.
	NodeMaintain NodeVerb = "maintain"
	// NodeReboot is NodeMaintain whose work is a reboot.
	NodeReboot NodeVerb = "reboot"
	// NodeRemove takes a machine out of the cluster and wipes k0s from it. NodeReplace takes one out that is dead, so that another can
	// join under its name.
	NodeRemove  NodeVerb = "remove"
	NodeReplace NodeVerb = "replace"
)

// NodeTask is a NodeVerb and what it is to be done with.
type NodeTask struct {
	Verb NodeVerb
	// Host is the machine's declared name.
	Host string
	// Reason is noted on the node that is closed; "" for a general one.
	Reason string
	// Force lets an administrator's cordon be changed.
	Force bool
	// Command is what NodeMaintain runs on the machine, as root, word by word. Empty: an operator says when the work is done.
	Command []string
	// CommandTimeout bounds the command, BootTimeout the time from a reboot until the machine answers again.
	CommandTimeout, BootTimeout time.Duration
}

// How long a command may take, and a machine may be away when it reboots, if nobody says otherwise.
const (
	CommandTimeout = time.Hour
	BootTimeout    = 15 * time.Minute
)

// CommandLine is the command that sets the task, as it is typed at a shell, with more flags. lockTimeout is how long it waits for the lock.
func (t NodeTask) CommandLine(site string, lockTimeout time.Duration, flags ...string) string {
	words := []string{"kiban", "node", string(t.Verb), site, t.Host}
	if t.Reason != "" {
		words = append(words, "--reason", t.Reason)
	}
	if t.Force {
		words = append(words, "--force")
	}
	if t.CommandTimeout > 0 && t.CommandTimeout != CommandTimeout {
		words = append(words, "--command-timeout", t.CommandTimeout.String())
	}
	if t.BootTimeout > 0 && t.BootTimeout != BootTimeout {
		words = append(words, "--boot-timeout", t.BootTimeout.String())
	}
	if lockTimeout > 0 {
		words = append(words, "--lock-timeout", lockTimeout.String())
	}
	words = append(words, flags...)
	if len(t.Command) > 0 {
		words = append(append(words, "--"), t.Command...)
	}
	return ShellWords(words...)
}

// MaintenanceMark begins Mark.Run of nodes that an operator took out of service. No other run returns them.
const MaintenanceMark = "maintenance:"

// Maintenance reports whether an operator took the node out, to be returned by `kiban node uncordon` or by the end of a `kiban node
// maintain`. Everything else treats such a node as one that an administrator has cordoned.
func (m Mark) Maintenance() bool { return strings.HasPrefix(m.Run, MaintenanceMark) }
