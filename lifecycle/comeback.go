package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// What of a control plane writes data, as k0s names it in its log.
const (
	PartEtcd      = "etcd"
	PartKine      = "kine"
	PartAPIServer = "kube-apiserver"
)

// CrashLoop is how many restarts by systemd are too many for a service that is to come up.
const CrashLoop = 2

// CrashLoops reports whether k0s does not stay up: systemd gave up on it, or has restarted it again and again and it does not answer.
func (h HostState) CrashLoops() bool {
	up := h.Service == ServiceStarting || h.Service == ServiceRunning
	return h.Service == ServiceFailed || (up && h.Running.IsZero() && h.Restarts > CrashLoop)
}

// GivenUp says what systemd makes of a k0s that does not stay up.
func (h HostState) GivenUp() string {
	if h.Service == ServiceFailed {
		return "systemd has given it up."
	}
	return "systemd has restarted it " + Count(h.Restarts, "time") + "."
}

// MayGoBack reports whether a controller may run Former again, which the installed k0s has taken the place of, and why, or why not. It may
// where nothing can have been written that Former can't read.
func (h HostState) MayGoBack() (ok bool, why string) {
	f, v := h.Former, h.Binary
	ran := strings.Join(h.Ran, ", ")
	switch {
	case f.IsZero():
		return false, "no former k0s is kept on the machine"
	case v.IsZero():
		return false, "the machine does not say what took the place of " + f.String()
	case f.MinorsAhead(v) == 0:
		return true, fmt.Sprintf("%s and %s are patch releases of one minor: each reads what the other writes", f, v)
	case !h.RanKnown:
		return false,
			fmt.Sprintf("whether k0s %s has written anything can't be told: "+
				"its log on the machine does not reach back to its first start", v)
	case slices.Contains(h.Ran, PartAPIServer), slices.Contains(h.Ran, PartKine):
		return false, fmt.Sprintf("k0s %s has started %s there, which may have written what %s can't read", v, ran, f)
	case len(h.Ran) > 0 && etcdMinor(f) != etcdMinor(v):
		return false, fmt.Sprintf("k0s %s has started its etcd there, which is of another minor release than that of %s", v, f)
	case len(h.Ran) > 0:
		return true,
			fmt.Sprintf("by its log k0s %s has started %s there and no API server, and the etcd of %s is of the same minor release", v,
				ran, f)
	}
	return true, fmt.Sprintf("by its log k0s %s has started neither etcd nor an API server there, so it has written nothing", v)
}

// etcdMinor is the minor release of etcd that a k0s brings. Of one that is not known it is a name that no other has.
func etcdMinor(v Version) string {
	switch {
	case v.Major != 1:
	case v.Minor >= 29 && v.Minor <= 33:
		return "3.5"
	case v.Minor >= 34 && v.Minor <= 36:
		return "3.6"
	case v.Minor == 37:
		return "3.7"
	}
	return "of " + v.MinorString()
}

// RestoreCommand is how a backup is restored to a site, for people.
func RestoreCommand(site string, b KeptBackup) string {
	command := ShellWords("kiban", "restore", site, "--from", b.Name)
	if b.Encrypted {
		command += " --identity KEY.txt"
	}
	return command
}

// FailedUpgrade is a version that did not come up on a machine, which was then taken back to its former one.
type FailedUpgrade struct {
	Host    string  `json:"host"`
	Version Version `json:"version"`
	// Former is what the machine was taken back to.
	Former Version `json:"former"`
	// Why is the first line of what was found then.
	Why string `json:"why,omitempty"`
}

// WhyWentBack is why a version is not on a controller any more that somebody took back from it before the commit: nothing is wrong with it
// as far as kiban knows.
const WhyWentBack = "the control plane went back before it was committed"

// Ahead are those of the members, by name, whose version is newer than v, in words and sorted, and the newest version of theirs. A version
// that is older than what one member has is refused as a downgrade, whatever another could go back to.
func Ahead(have map[string]Version, v Version) (members []string, newest Version) {
	for name, has := range have {
		if !v.Less(has) {
			continue
		}
		members = append(members, fmt.Sprintf("%s has %s", name, has))
		if newest.Less(has) {
			newest = has
		}
	}
	slices.Sort(members)
	return members, newest
}

// MayDeclareFormer reports whether a plan starts Former again where that is declared, and why, or why not. others are the versions of the
// other members.
func (h HostState) MayDeclareFormer(others map[string]Version) (ok bool, why string) {
	ok, why = h.MayGoBack()
	if ahead, _ := Ahead(others, h.Former); ok && len(ahead) > 0 {
		return false, Enumerate(ahead) + ", and kiban plans no downgrade"
	}
	return ok, why
}

// FixedVersion says which version may be declared in the place of one that does not come up.
func FixedVersion(fails Version, others map[string]Version) string {
	text := "a fixed version of " + fails.MinorString()
	ahead, newest := Ahead(others, Version{})
	if len(ahead) == 0 || newest.Less(Version{Major: fails.Major, Minor: fails.Minor}) {
		return text
	}
	return fmt.Sprintf("%s that is newer than %s, which another member has", text, newest)
}
