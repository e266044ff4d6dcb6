package lifecycle

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTogether(t *testing.T) {
	machine := func(name string) []string {
		if n, ok := strings.CutPrefix(name, "worker-"); ok {
			return []string{name, "10.0.0." + n}
		}
		return nil
	}
	unreachable := func(name, why string) Diagnostic {
		return Errorf(name, "the host cannot be reached").Because(why).Try("kiban node remove tokyo " + name)
	}
	many := func(n int, why func(name string) string) (ds Diagnostics) {
		for i := range n {
			name := fmt.Sprintf("worker-%d", i+1)
			ds = append(ds, unreachable(name, why(name)))
		}
		return ds
	}
	same := func(string) string { return "No route to it." }
	tests := []struct {
		name  string
		in    Diagnostics
		want  []string // subject | detail | hint
		total int
	}{
		{"one stays as it is", many(1, same), []string{"worker-1 | No route to it. | kiban node remove tokyo worker-1"}, 0},
		{"the same of several is one", many(3, same),
			[]string{"3 machines: worker-1, worker-2, worker-3 | No route to it. | kiban node remove tokyo worker-1 (and so for the others)"}, 3},
		{"its own name in the detail makes no other finding", many(2, func(name string) string { return "dial " + name + ": refused" }),
			[]string{"2 machines: worker-1, worker-2 | worker-1: dial worker-1: refused; likewise the others " +
				"| kiban node remove tokyo worker-1 (and so for the others)"}, 2},
		{"nor does its own address", many(2, func(name string) string {
			return "dial 10.0.0." + strings.TrimPrefix(name,
				"worker-") + ":22: refused"
		}),
			[]string{"2 machines: worker-1, worker-2 | worker-1: dial 10.0.0.1:22: refused; likewise the others " +
				"| kiban node remove tokyo worker-1 (and so for the others)"}, 2},
		{"many are counted, and none is lost", many(15, same),
			[]string{"15 machines: worker-1, worker-2, worker-3, worker-4, worker-5, worker-6, " +
				"worker-7, worker-8 and 7 more | No route to it. | kiban node remove tokyo worker-1 (and so for the others)"}, 15},
		{"reasons of their own stand one a line",
			Diagnostics{unreachable("worker-1", "refused"), unreachable("worker-2", "timed out\ntwice")},
			[]string{"2 machines: worker-1, worker-2 | worker-1: refused\nworker-2: timed out; twice " +
				"| kiban node remove tokyo worker-1 (and so for the others)"}, 2},
		{"other severity, summary or hint: another finding", Diagnostics{Warnf("worker-1", "a"), Errorf("worker-2", "a"), Warnf("worker-3", "b"),
			Warnf("worker-4", "a").Try("Do.")}, []string{"worker-1 |  | ", "worker-2 |  | ", "worker-3 |  | ", "worker-4 |  | Do."}, 0},
		{"places in files and objects stay apart", Diagnostics{Errorf("a.yaml:1", "a"), Errorf("a.yaml:2", "a"), Errorf("Budget shop/web", "a")},
			[]string{"a.yaml:1 |  | ", "a.yaml:2 |  | ", "Budget shop/web |  | "}, 0},
		{"nothing that is said of one machine is lost", Diagnostics{Errorf("worker-1", "a").Because("x"), Errorf("worker-1", "a").Because("y")},
			[]string{"worker-1 | x\ny | "}, 0},
		{"others' names are left alone", Diagnostics{Errorf("worker-1", "a").Try("Look at worker-10."), Errorf("worker-2",
			"a").Try("Look at worker-10.")},
			[]string{"2 machines: worker-1, worker-2 |  | Look at worker-10."}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := fmt.Sprint(tt.in)
			got := tt.in.Together(machine)
			var lines []string
			for _, d := range got {
				lines = append(lines, d.Subject+" | "+d.Detail+" | "+d.Hint)
			}
			if !reflect.DeepEqual(lines, tt.want) {
				t.Errorf("got  %q\nwant %q", lines, tt.want)
			}
			if len(got[0].Subjects) != tt.total {
				t.Errorf("%d subjects, want %d", len(got[0].Subjects), tt.total)
			}
			if again := got.Together(machine); !reflect.DeepEqual(again, got) {
				t.Errorf("once more, it is another: %v", again)
			}
			if fmt.Sprint(tt.in) != before {
				t.Error("what was given has changed")
			}
		})
	}
}

// The chain behind each of the findings stays within reach of errors.Is.
func TestTogetherKeepsCauses(t *testing.T) {
	cause := errors.New("refused")
	ds := Diagnostics{Errorf("a", "x"), Errorf("b", "x").From(cause)}.Together(func(name string) []string { return []string{name} })
	if len(ds) != 1 || !errors.Is(ds[0], cause) {
		t.Errorf("%v", ds)
	}
}

// A machine may be called as the word that takes the place of names: the search for it ends all the same.
func TestTogetherOfAMachineCalledNAME(t *testing.T) {
	ds := Diagnostics{Errorf("NAME", "x").Try("Look at NAME."), Errorf("b", "x").Try("Look at b.")}
	if got := ds.Together(func(name string) []string { return []string{name} }); len(got) != 1 || got[0].Hint != "Look at NAME." {
		t.Errorf("%+v", got)
	}
}
