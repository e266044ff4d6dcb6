package readiness

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// What each minor of Kubernetes knows, from the sources of its Go modules: scripts/settings writes it.
//
//go:embed data/settings.json
var settingsText []byte

// known is what minors of Kubernetes know of flags, feature gates, admission plugins and controllers.
type known struct {
	Modules     []knownMinor
	Flags       map[string][]knownFlag
	Gates       []knownGate
	Plugins     []knownName
	Controllers []knownName
}

// knownMinor is where a minor was read: "v1.37.2" of k8s.io/kubernetes.
type knownMinor struct{ Minor, Version string }

// knownName is something that minors from From to To know. Empty: from the first, to the last that was read.
type knownName struct{ Name, From, To string }

type knownFlag struct {
	knownName
	// Deprecated is the minor from which on it is not to be used, "" of others; Says is what the program says of it.
	Deprecated, Says string
}

type knownGate struct {
	knownName
	Is []gateIs
	// Goes is when the newest minor says that the gate is removed; "" where it does not say.
	Goes string
}

// gateIs is what a gate is from a minor on.
type gateIs struct {
	At, Stage  string
	On, Locked bool
	// Needs are gates that must be on where this one is: the program does not start else.
	Needs []string
}

// readKnown reads the data. It is part of the program, and a test reads it, too: there is nothing to say of an error.
func readKnown() known {
	var k known
	_ = json.Unmarshal(settingsText, &k)
	return k
}

// minorNumber is the number in "1.37"; 0 of anything else.
func minorNumber(text string) int {
	_, digits, _ := strings.Cut(text, ".")
	n, _ := strconv.Atoi(digits)
	return n
}

func minorName(n int) string { return fmt.Sprintf("v1.%d", n) }

// has reports whether a minor knows what the row is of.
func (n knownName) has(m int) bool {
	return (n.From == "" || minorNumber(n.From) <= m) && (n.To == "" || m <= minorNumber(n.To))
}

// first and last are the minors that were read.
func (k known) first() int { return minorNumber(k.Modules[0].Minor) }
func (k known) last() int  { return minorNumber(k.Modules[len(k.Modules)-1].Minor) }

// release is the version that a minor was read from: "v1.37.2".
func (k known) release(m int) string {
	for _, mod := range k.Modules {
		if minorNumber(mod.Minor) == m {
			return mod.Version
		}
	}
	return ""
}

// isOut reports whether that version is a release: of one that is not, all may still change.
func (k known) isOut(m int) bool { return !strings.Contains(k.release(m), "-") }

// at is what a gate is in a minor, and whether there is such a gate.
func (g knownGate) at(m int) (gateIs, bool) {
	if !g.has(m) {
		return gateIs{}, false
	}
	is, found := gateIs{}, false
	for _, later := range g.Is {
		if minorNumber(later.At) <= m {
			is, found = later, true
		}
	}
	return is, found
}

// gate is what is known of a gate in a minor, and in any.
func (k known) gate(name string, m int) (row knownGate, is gateIs, has bool) {
	for _, g := range k.Gates {
		if g.Name != name {
			continue
		}
		row = g
		if is, has = g.at(m); has {
			return row, is, true
		}
	}
	return row, gateIs{}, false
}

// flag is what is known of a program's flag in a minor, or in any where it has none then.
func (k known) flag(program, name string, m int) (row knownFlag, has bool) {
	for _, f := range k.Flags[program] {
		if f.Name == name {
			if row = f; f.has(m) {
				return row, true
			}
		}
	}
	return row, false
}

// rowOf finds a row by name, the one that holds in a minor first.
func rowOf(rows []knownName, name string, m int) (row knownName, has bool) {
	for _, n := range rows {
		if n.Name == name {
			if row = n; n.has(m) {
				return row, true
			}
		}
	}
	return row, false
}

// hops are the minors that an upgrade starts k0s at: each one after the lowest that runs, up to the target; the target's alone where
// nothing runs, or nothing older.
func hops(from, to lifecycle.Version) []int {
	if to.Major != 1 {
		return nil
	}
	start := to.Minor
	if !from.IsZero() && from.Major == 1 && from.Minor < to.Minor {
		start = from.Minor + 1
	}
	var out []int
	for m := start; m <= to.Minor; m++ {
		out = append(out, m)
	}
	return out
}
