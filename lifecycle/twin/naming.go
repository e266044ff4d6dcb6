package twin

import (
	"fmt"
	"regexp"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// naming gives the names of the site's machines by the addresses that they have in the lab. Those say nothing to people of the site.
type naming struct {
	of map[string]string
	// address finds what may be one in a text, with the port of the lab's SSH behind it or without.
	address *regexp.Regexp
}

func newNaming(p Place) naming {
	n := naming{of: map[string]string{}, address: regexp.MustCompile(fmt.Sprintf(`\b127(?:\.[0-9]{1,3}){3}\b(?::%d\b)?`, p.Port))}
	for _, m := range p.Machines {
		n.of[m.Address] = m.Name
	}
	return n
}

// text is what is said, with names in the place of addresses; an address beside its machine's name is one too many.
func (n naming) text(s string) string {
	out := n.address.ReplaceAllStringFunc(s, func(found string) string {
		address, _, _ := strings.Cut(found, ":")
		if name, ok := n.of[address]; ok {
			return name
		}
		return found
	})
	for _, name := range n.of {
		if out != s {
			out = strings.ReplaceAll(out, name+" ("+name+")", name)
		}
	}
	return out
}

func (n naming) finding(d lifecycle.Diagnostic) lifecycle.Diagnostic {
	d.Subject, d.Summary, d.Detail, d.Hint = n.text(d.Subject), n.text(d.Summary), n.text(d.Detail), n.text(d.Hint)
	var subjects []string
	for _, s := range d.Subjects {
		subjects = append(subjects, n.text(s))
	}
	d.Subjects = subjects
	return d
}

// run is what a run of kiban told.
func (n naming) run(e Ended) Ended {
	var events []lifecycle.Event
	for _, ev := range e.Events {
		ev.Message, ev.Detail = n.text(ev.Message), n.text(ev.Detail)
		if ev.Diagnostic != nil {
			ev.Diagnostic = new(n.finding(*ev.Diagnostic))
		}
		events = append(events, ev)
	}
	e.Events = events
	return e
}

// probe is what the prober saw.
func (n naming) probe(p probed) probed {
	for _, s := range p.Services {
		for i := range s.Failed {
			s.Failed[i].Error = n.text(s.Failed[i].Error)
		}
	}
	return p
}
