package twin

import (
	"context"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
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

// fits says why a fault can't be injected in a twin of a site: it has no such machine, its plan no such step, or the lab no such kind.
func (f Fault) fits(s Snapshot, kinds []string) error {
	wrong := func(why, hint string) error {
		return lifecycle.Errorf(s.Site, "--fault %s can't be injected", f.Spec).Because(why).Try(hint)
	}
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
	switch {
	case f.Machine != FaultKiban && f.Machine != "all" && !slices.Contains(machines, f.Machine):
		return wrong("No machine of the site is called "+f.Machine+".", "It has "+lifecycle.Few(machines)+".")
	case f.Machine != FaultKiban && len(kinds) > 0 && !slices.Contains(kinds, f.Kind): // a lab of before does not say which it knows
		return wrong("The lab knows no fault "+f.Kind+".", "It knows "+strings.Join(kinds, ", ")+"; `kiban-lab fault --help` says what they do.")
	case len(steps) == 0:
		return wrong("Nothing is planned for "+machine+".", "kiban plan "+s.Site+" lists the steps.")
	case steps[0] != f.Step:
		return wrong("The plan has no step "+f.Step+".", "It has "+strings.Join(steps, ", ")+".")
	}
	return nil
}

// faults injects each of its faults once, when its turn comes.
type faults struct {
	list []Fault
	at   []string // where each was injected
	lab  *Lab
	note func(string)
}

func newFaults(list []Fault, lab *Lab, note func(string)) *faults {
	return &faults{list: list, at: make([]string, len(list)), lab: lab, note: note}
}

// see injects what is due when that happens.
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
			f.list[i].Step = "" // it is not tried again
			f.note("Fault " + fault.Spec + " can't be injected: " + err.Error())
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
