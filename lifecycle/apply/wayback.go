package apply

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// way is how a way back is told.
type way struct {
	what    string // "worker-1 did not come up with ..."
	taken   string // "could not be ..."
	again   string // "it ... again"
	back    string // what was put back, as a paragraph; "" where the rest says it
	why     string // what to find out
	suspect string // what that may be the fault of
}

// wayOf tells the way back of a step.
func (r *run) wayOf(s lifecycle.Step) way {
	to := s.OnFailure[0]
	if to.Action != lifecycle.ActionRestoreSettings {
		return way{
			what:    fmt.Sprintf("%s did not come up with k0s %s", s.Target, s.Version),
			taken:   fmt.Sprintf("taken back to %s", to.Version),
			again:   fmt.Sprintf("runs %s again", to.Version),
			why:     fmt.Sprintf("Find out from the log why %s does not come up there", s.Version),
			suspect: s.Version.String(),
		}
	}
	w := way{
		what:    s.Target + " did not come up with its change",
		taken:   "given what it ran with before",
		again:   "runs with what it had before again",
		back:    "\nPut back was what it had before this run changed it: its service and its environment, and k0s.yaml of a controller.",
		why:     "Correct the change where it is declared, or find out from the log why k0s does not come up with it",
		suspect: "the change",
	}
	if len(to.Changes) > 0 {
		w.back = "\nPut back was, with its service and environment, what the turn had changed:\n  " + strings.Join(to.Changes, "\n  ")
	}
	return w
}

// stays says how a machine is left whose way back failed, too.
func (r *run) stays(s lifecycle.Step) string {
	service, text := "k0sworker", "The node stays cordoned with kiban's mark. "
	if host, _ := r.site.Cluster.Host(s.Target); host.Role.IsController() {
		service, text = "k0scontroller", ""
	}
	return text + fmt.Sprintf("Mend the machine, then run the same command again: it carries on from there. "+
		"`journalctl -u %s` on %s says more.", service, s.Target)
}
