package lifecycle

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// typed is what a shell makes of a command line: its words.
func typed(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "for w in "+line+`; do printf '%s\0' "$w"; done`).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestShellWords(t *testing.T) {
	words := []string{"plain", "a b", "it's", `"`, "$HOME",
		"`id`", "; rm -rf x", "a\\b", "*", "", "~", "!x", "=ls", "a=b", "基盤", "--reason",
		"a\nb", "/srv/plans/tokyo.plan", "10.0.0.1:22", "#1", "(x)", "a&b", "<x>"}
	if got := typed(t, ShellWords(words...)); !slices.Equal(got, words) {
		t.Errorf("got %q, want %q", got, words)
	}
	if got := ShellWords("kiban", "apply", "tokyo-prod", "--plan", "plans/tokyo.plan", "v1.36.3+k0s.2"); strings.Contains(got, "'") {
		t.Errorf("quotes where none are needed: %s", got)
	}
}

// TestProposedCommandsAreWhole: a command that a hint proposes is what was typed, with every value as it was.
func TestProposedCommandsAreWhole(t *testing.T) {
	task := NodeTask{Verb: NodeMaintain, Host: "w1", Reason: "Ann's new disks, $5", Force: true,
		Command:        []string{"sh", "-c", `echo "a b" > /x`},
		CommandTimeout: 2 * time.Hour, BootTimeout: BootTimeout}
	plain := NodeTask{Verb: NodeReboot, Host: "w1", CommandTimeout: CommandTimeout, BootTimeout: 20 * time.Minute}
	for line, want := range map[string][]string{
		task.CommandLine("lab", 10*time.Minute, "--yes"): {"kiban", "node", "maintain", "lab", "w1", "--reason", "Ann's new disks, $5", "--force",
			"--command-timeout", "2h0m0s", "--lock-timeout", "10m0s", "--yes", "--", "sh", "-c", `echo "a b" > /x`},
		plain.CommandLine("lab", 0):                             {"kiban", "node", "reboot", "lab", "w1", "--boot-timeout", "20m0s"},
		RestoreCommand("lab", KeptBackup{Name: "a b'c.tar.gz"}): {"kiban", "restore", "lab", "--from", "a b'c.tar.gz"},
	} {
		if got := typed(t, line); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
}
