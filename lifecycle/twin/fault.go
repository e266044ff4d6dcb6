package twin

import (
	"context"
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
