package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// HoldsFile is the file at a fleet's root that says which failures hold no site any more.
const HoldsFile = "holds.yaml"

// Lift is somebody's word that a failure holds no site any more: its cause is gone, or it is not what it seemed.
type Lift struct {
	// Failure is the fingerprint of it.
	Failure string `json:"failure"`
	// By is who said so, Why is what they said, At is when. A failure that happens after At holds again.
	By  string    `json:"by"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// Failure is by what a run failed, as far as the same could befall another site.
type Failure struct {
	Action Action `json:"action"`
	// Unit is the addon, the tenant or the objects that were being applied; "" where a machine was being changed.
	Unit string `json:"unit,omitempty"`
	// Role and Machine are of the machine: its role, and what kind it is (HostState.Kind); Machine is "" where that was not known.
	Role    Role   `json:"role,omitempty"`
	Machine string `json:"machine,omitempty"`
	// Version is the k0s version that the step puts on the machine; zero where it puts none.
	Version Version `json:"version,omitzero"`
	// Why is what was found, in a line. Where says on which machine or unit.
	Why   string `json:"why"`
	Where string `json:"where"`
}

// Kind is what kind of machine it is: its operating system, its kernel and its architecture. "" where it does not tell.
func (h HostState) Kind() string {
	if h.OS == "" && h.Kernel == "" {
		return ""
	}
	return strings.Join([]string{h.OS, h.Kernel, h.Arch}, ", ")
}

// Fingerprint is the same for failures that are alike: the same was done to the same kind of machine with the same version, and the same
// was found. What differs from machine to machine, names and numbers, does not count. It is 10 hex digits.
func (f Failure) Fingerprint() string {
	why := f.Why
	if f.Where != "" {
		why = strings.ReplaceAll(why, strings.TrimPrefix(f.Where, UnitAddon), "…")
	}
	all := strings.Join([]string{string(f.Action), f.Unit, string(f.Role), f.Machine, f.Version.String(), onlyWords(why)}, "\x00")
	sum := sha256.Sum256([]byte(all))
	return hex.EncodeToString(sum[:5])
}

// particular is what differs from one occurrence of a message to the next: what is quoted, and words with a digit, such as addresses,
// times, versions, names of pods and hex ids.
var particular = regexp.MustCompile(`"[^"]*"|'[^']*'|\S*[0-9]\S*`)

// onlyWords is a message without what differs from one occurrence to the next.
func onlyWords(message string) string {
	return strings.Join(strings.Fields(particular.ReplaceAllString(strings.ToLower(message), " ")), " ")
}

// String tells of the failure in a line.
func (f Failure) String() string {
	what, role := string(f.Action), string(f.Role)
	if f.Role == RoleSingle {
		role += " node"
	}
	switch {
	case f.Unit != "":
		what += " of " + UnitLabel(f.Unit)
	case !f.Version.IsZero():
		what += fmt.Sprintf(" of a %s to %s", role, f.Version)
	case f.Role != "":
		what += fmt.Sprintf(" of a %s", role)
	}
	if f.Machine != "" {
		what += " (" + f.Machine + ")"
	}
	return what + ": " + f.Why
}
