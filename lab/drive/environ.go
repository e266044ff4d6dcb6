package drive

import "strings"

// Environ takes out of an environment ("NAME=value") what kiban would take from whoever started this: that it is in a job, which fleet and
// site are meant, what it may tell, and what its kubectl asks. What is driven then behaves as at a terminal of a person who has set
// nothing, also where the driver itself is in a job. What is for the driver stays: the driven binaries, and the settings of end-to-end
// tests.
func Environ(environ []string) []string {
	out := make([]string, 0, len(environ))
	for _, e := range environ {
		if name, _, _ := strings.Cut(e, "="); !inherited(name) {
			out = append(out, e)
		}
	}
	return out
}

// inherited tells whether kiban reads that variable.
func inherited(name string) bool {
	switch {
	case name == "KIBAN_BIN", name == "KIBAN_LAB_BIN", strings.HasPrefix(name, "KIBAN_E2E_"): // they are for the driver
		return false
	case name == "CI", name == "NO_COLOR", name == "KUBECONFIG":
		return true
	}
	for _, prefix := range []string{"CI_", "GITLAB_", "KIBAN_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
