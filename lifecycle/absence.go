package lifecycle

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Absence is a machine that does not answer and that `kiban node` was at work on: it may be rebooting.
type Absence struct {
	// Why says by what that is known, in a sentence without its end.
	Why string
	// Command is what was given for it, "kiban node reboot"; "" where that is not known.
	Command string
	// Heard is when it was last heard from; zero where nothing tells.
	Heard time.Time
	// Late says that this is longer ago than a reboot is waited for, if nobody says otherwise.
	Late bool
}

// Absence reports whether the machine is away and was taken out by `kiban node`: by the mark on its node, or by a run on it that has no
// end, which is all that there is of a controller without a node. A controller is away for as long as its API is, too.
func (s State) Absence(host string) (Absence, bool) {
	a, is := s.absence(host)
	a.Late = !a.Heard.IsZero() && s.ObservedAt.Sub(a.Heard) > BootTimeout
	return a, is
}

func (s State) absence(host string) (Absence, bool) {
	seen, _ := s.Host(host)
	controller := seen.ServiceName == "k0scontroller"
	if !seen.mayBoot() && !(controller && s.API.Unknown != "") {
		return Absence{}, false
	}
	if n, _ := s.Node(host); n.Mark.Maintenance() {
		a := Absence{Why: "its node is in maintenance (" + n.Mark.Reason + ")", Heard: n.LeaseRenewed}
		if strings.HasPrefix(n.Mark.Reason, commandOfNode) {
			a.Command = n.Mark.Reason
		}
		return a, true
	}
	r, verb := s.Past.workOn(host)
	if r.Result != RunUnended || verb != NodeReboot && verb != NodeMaintain {
		return Absence{}, false
	}
	return Absence{Why: fmt.Sprintf("run %s (%s) has no end", r.ID, r.Doing), Command: commandOfNode + string(verb), Heard: r.Ended}, true
}

// commandOfNode begins what a node's mark says where the operator gave no reason.
const commandOfNode = "kiban node "

// mayBoot reports whether the machine answers as one does that goes down or comes up: not at all, with logins refused, or cut short.
func (h HostState) mayBoot() bool {
	return h.Problem == HostUnreachable || h.Problem == HostAuth || h.Problem == HostFacts
}

// workOn is the newest run of `kiban node` on a machine, and its verb; "" where none is known.
func (p Past) workOn(host string) (RunRecord, NodeVerb) {
	for _, r := range p.Runs {
		words := strings.Fields(r.Doing)
		if len(words) == 3 && words[0] == "node" && words[2] == host {
			return r, NodeVerb(words[1])
		}
	}
	return RunRecord{}, ""
}

// String is a sentence of it.
func (a Absence) String() string {
	text := strings.ToUpper(a.Why[:1]) + a.Why[1:]
	if !a.Heard.IsZero() {
		text += ", and it was last heard from at " + a.Heard.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if a.Late {
		return text + ", which is too long for a reboot."
	}
	return text + ": it may be rebooting."
}

// way is what to do about it.
func (a Absence) way(site, host string) string {
	if a.Late {
		return fmt.Sprintf("See what keeps it, at its console. When it answers: kiban node uncordon %s %s, or the former command again",
			site, host)
	}
	if a.Command == commandOfNode+string(NodeReboot) {
		return fmt.Sprintf("If it is rebooting: %s %s %s waits for it, and returns it to service", a.Command, site, host)
	}
	return fmt.Sprintf("If it is rebooting, it comes back by itself: then kiban node uncordon %s %s, or the former command again", site,
		host)
}

// Awaits reports whether the task waits for its machine, and says what for: an earlier run may have left it rebooting. began is when the
// wait began. It is waited for as long as a reboot may take, from when it was last heard from; one that is away for longer is refused.
func (t NodeTask) Awaits(seen State, began, now time.Time) (why string, awaits bool) {
	if t.Verb != NodeReboot && t.Verb != NodeMaintain {
		return "", false
	}
	away, is := seen.Absence(t.Host)
	if who, comes := seen.comingUp(); comes && !is && now.Before(began.Add(t.BootTimeout)) {
		return fmt.Sprintf("The API does not answer yet: %s. It is waited for until %s (--boot-timeout).", who,
			began.Add(t.BootTimeout).UTC().Format("15:04:05 UTC")), true
	}
	from := began
	if is && !away.Heard.IsZero() && away.Heard.Before(began) {
		from = away.Heard
	}
	until := from.Add(t.BootTimeout)
	if !is || !now.Before(until) {
		return "", false
	}
	away.Late = false // whoever gives a --boot-timeout knows how long this one takes
	silent, _ := seen.Host(t.Host)
	what := cmp.Or(silent.Why, "the API does not answer: "+seen.API.Unknown)
	return fmt.Sprintf("%s is away (%s). %s It is waited for until %s (--boot-timeout).", t.Host, what, away,
		until.UTC().Format("15:04:05 UTC")), true
}

// comingUp reports whether the API is away for a controller that has started a moment ago, stops or starts, and says which one.
func (s State) comingUp() (who string, comes bool) {
	if s.API.Unknown == "" || s.API.NotYet {
		return "", false
	}
	for _, h := range s.Hosts {
		now := s.ObservedAt.Add(time.Duration(h.ClockOffset) * time.Second) // by the machine's clock
		switch {
		case !h.Reached() || h.ServiceName != "k0scontroller":
		case h.Service == ServiceStarting && !h.CrashLoops(), h.Service == ServiceStopping:
			return fmt.Sprintf("k0s on %s is %s", h.Name, h.Service), true
		case h.Service == ServiceRunning && !h.ServiceSince.IsZero() && now.Sub(h.ServiceSince) < BootTimeout:
			return fmt.Sprintf("k0s on %s runs since %s by its clock", h.Name, h.ServiceSince.UTC().Format("15:04:05 UTC")), true
		}
	}
	return "", false
}
