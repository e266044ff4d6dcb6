package kubelet

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestCheckFlags: arguments that a kubelet starts with, and those with which it says why it does not.
func TestCheckFlags(t *testing.T) {
	had := pflag.CommandLine
	pflag.CommandLine = pflag.NewFlagSet("lab", pflag.ContinueOnError) // as kiban-lab has it
	t.Cleanup(func() { pflag.CommandLine = had })
	for extra, want := range map[string]string{
		"":                                  "",
		"--node-ip=1.2.3.4 --max-pods=50":   "",
		"--node-labels='a=b,c=d'":           "",
		"--v=2 --housekeeping-interval=10s": "",
		"--serialize-image-pulls":           "",
		"--container_log_max_files=3":       "",
		"--no-such-flag=1":                  "unknown flag: --no-such-flag",
		"--node-ip=1.2.3.4 --another":       "unknown flag: --another",
		"--max-pods=many":                   "invalid argument",
		"word":                              "unknown command",
		`--node-labels="a=b`:                "failed to parse",
	} {
		err := CheckFlags(extra)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", extra, err, want)
		}
	}
}
