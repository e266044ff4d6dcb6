package twin

import (
	"context"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/explain"
)

// Fault is something that is made to go wrong when a step begins: "worker-3=ssh-hang@cordon", "controller-1=latency:5ms@upgrade",
// "kiban=kill@worker-3/drain".
type Fault struct {
	Spec string
	// Machine is a machine's name, "all", or "kiban" for kiban itself; Kind is one of `kiban-lab fault --help`, or "kill" of kiban. Args
	// follow the kind behind colons.
	Machine, Kind string
	Args          []string
	// Step is the id of a step: "worker-3/cordon". It is injected when that step begins, or begins to wait.
	Step string
}

// FaultKiban is the Machine of faults of kiban itself.
const FaultKiban = "kiban"

// ParseFault reads MACHINE=KIND[:ARG]...@STEP. The step is an id, or an action of that machine.
func ParseFault(spec string) (Fault, error) {
	wrong := func(why string) (Fault, error) {
		return Fault{}, lifecycle.Errorf("", "--fault %s can't be injected", spec).Because(why).
			Try("Write MACHINE=KIND@STEP, such as worker-3=ssh-hang@cordon or kiban=kill@worker-3/drain; `kiban-lab fault --help` lists the kinds.")
	}
	machine, rest, ok := strings.Cut(spec, "=")
	what, step, at := strings.Cut(rest, "@")
	if !ok || !at || machine == "" || what == "" || step == "" {
		return wrong("It does not say what goes wrong, where and when.")
	}
	parts := strings.Split(what, ":")
	f := Fault{Spec: spec, Machine: machine, Kind: parts[0], Args: parts[1:], Step: step}
	if !strings.Contains(step, "/") {
		if machine == FaultKiban || machine == "all" {
			return wrong("It needs the whole id of a step, such as worker-3/" + step + ".")
		}
		f.Step = machine + "/" + step
	}
	if machine == FaultKiban && f.Kind != "kill" {
		return wrong("kiban itself can only be killed.")
	}
	return f, nil
}

// ParseFaults reads several.
func ParseFaults(specs []string) ([]Fault, error) {
	var out []Fault
	for _, spec := range specs {
		f, err := ParseFault(spec)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// unfit says why a fault can't be injected in a twin of a site.
func (f Fault) unfit(site, why, hint string) *lifecycle.Diagnostic {
	return new(lifecycle.Errorf(site, "--fault %s can't be injected", f.Spec).Because(why).Try(hint))
}

// known says why a fault can't be injected whatever the plan is: the site has no such machine, or the lab no such kind; nil where it can.
func (f Fault) known(site string, machines, kinds []string) *lifecycle.Diagnostic {
	switch {
	case f.Machine == FaultKiban:
		return nil
	case f.Machine != "all" && !slices.Contains(machines, f.Machine):
		return f.unfit(site, "No machine of the site is called "+f.Machine+".", "It has "+lifecycle.Few(machines)+".")
	case len(kinds) > 0 && !slices.Contains(kinds, f.Kind): // a lab of before does not say which it knows
		return f.unfit(site, "The lab knows no fault "+f.Kind+".",
			meant(f.Kind, kinds)+"It knows "+strings.Join(kinds, ", ")+"; `kiban-lab fault --help` says what they do.")
	}
	return nil
}

// meant asks whether another word was; "" where none is alike.
func meant(word string, names []string) string {
	near := explain.Nearest(word, names)
	if near == "" {
		return ""
	}
	return "Did you mean " + near + "? "
}

// fits says why a fault can't be injected in a twin of a site as it is: it has no such machine, its plan no such step, or the lab no such
// kind.
func (f Fault) fits(s Snapshot, kinds []string) error {
	var machines, steps []string
	for _, m := range s.Machines {
		machines = append(machines, m.Name)
	}
	machine, _, _ := strings.Cut(f.Step, "/")
	for _, st := range s.Plan.Steps {
		if st.ID == f.Step {
			steps = []string{st.ID}
			break
		}
		if at, _, _ := strings.Cut(st.ID, "/"); at == machine {
			steps = append(steps, st.ID)
		}
	}
	d := f.known(s.Site, machines, kinds)
	switch {
	case d != nil:
	case len(steps) == 0:
		d = f.unfit(s.Site, "Nothing is planned for "+machine+".", "kiban plan "+s.Site+" lists the steps.")
	case steps[0] != f.Step:
		d = f.unfit(s.Site, "The plan has no step "+f.Step+".", "It has "+strings.Join(steps, ", ")+".")
	default:
		return nil
	}
	return *d
}

// faults injects each of its faults once, when its turn comes.
type faults struct {
	list []Fault
	at   []string // where each was injected
	lab  *Lab
	note func(string)
	// refused says which the lab would not inject, and why; nil for none.
	refused error
}

func newFaults(list []Fault, lab *Lab, note func(string)) *faults {
	return &faults{list: list, at: make([]string, len(list)), lab: lab, note: note}
}

// see injects what is due when that happens. Where the lab will not, the run is killed: it would prove what nobody asked.
func (f *faults) see(ctx context.Context, e lifecycle.Event, kill func()) {
	if e.Kind != lifecycle.EventStarted && e.Kind != lifecycle.EventWaiting {
		return
	}
	for i, fault := range f.list {
		if f.at[i] != "" || fault.Step != e.Step {
			continue
		}
		f.at[i] = e.Step
		f.note("Fault " + fault.Spec + " at " + e.Step + ".")
		if fault.Machine == FaultKiban {
			kill()
			continue
		}
		if err := f.lab.Fault(ctx, fault.Machine, fault.Kind, fault.Args...); err != nil {
			f.at[i] = ""
			f.refused = lifecycle.Errorf("", "--fault %s can't be injected", fault.Spec).
				Because("The lab refuses it: " + lifecycle.OneLine(err.Error())).
				Try("`kiban-lab fault --help` says what follows each kind; behind a colon, here: worker-3=latency:5ms@drain.").From(err)
			kill()
			return
		}
	}
}

// kills is how often kiban is killed.
func (f *faults) kills() (n int) {
	for _, fault := range f.list {
		if fault.Machine == FaultKiban {
			n++
		}
	}
	return n
}

func (f *faults) told() []lifecycle.RehearsedFault {
	var out []lifecycle.RehearsedFault
	for i, fault := range f.list {
		out = append(out, lifecycle.RehearsedFault{Spec: fault.Spec, At: f.at[i]})
	}
	return out
}
