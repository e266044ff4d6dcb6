package k0s

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// loginShells are those that people give their users. .ci/run installs them all.
var loginShells = []string{"bash", "dash", "zsh", "ksh", "fish", "tcsh"}

// TestEveryLoginShell sets a machine up whose user has the shell, upgrades it, and puts a file there with every character that shells read
// in their own ways.
func TestEveryLoginShell(t *testing.T) {
	for _, shell := range loginShells {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				if os.Getenv("ORACLE_REQUIRED") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			f := newFarm(t, "c1")
			f.fakes["c1"].shell = shell
			s := f.open(v135)
			if h := f.state(s, "c1"); h.Problem != "" || h.Hostname == "" {
				t.Fatalf("the machine is not understood: %s %s", h.Problem, h.Why)
			}
			f.do(s, v135, "c1/stage", "c1/initialize")
			f.do(s, v136, "c1/stage", "c1/upgrade")
			const odd = "it's \"quoted\" \\ and $HOME `id` !! *\n\n{a,b} ~ # ; & | 基盤\n"
			declareFile(s, f, lifecycle.HostFile{Path: "etc/odd file's", Content: []byte(odd), Mode: "0600"})
			f.do(s, "", "c1/files")
			if got := f.fakes["c1"].read("etc/odd file's"); got != odd {
				t.Errorf("%q arrived", got)
			}
			if h := f.state(s, "c1"); h.Running.String() != v136 || h.Service != lifecycle.ServiceRunning {
				t.Errorf("after the upgrade: %+v", h)
			}
		})
	}
}

// A user whose shell runs nothing is told what the machine says, not that it may be broken.
func TestAShellThatRunsNothing(t *testing.T) {
	f := newFarm(t, "c1")
	f.fakes["c1"].shell = f.dir + "/nologin"
	if err := os.WriteFile(f.dir+"/nologin", []byte("#!/bin/sh\necho This account is currently not available.\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h, err := f.open(v135).HostFacts(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	if h.Problem != lifecycle.HostFacts || !strings.Contains(h.Why, "This account is currently not available.") || !strings.Contains(h.Why,
		"login shell") {
		t.Errorf("%s: %s", h.Problem, h.Why)
	}
}

func TestForAnyShellFitsCsh(t *testing.T) {
	command := forAnyShell(strings.Repeat("printf '%s\\n' \"$a!\"\n", 1000))
	if strings.ContainsAny(command, "\\!\n") {
		t.Error("it has characters that csh or fish read within single quotes")
	}
	for _, word := range strings.Fields(command) {
		if len(word) > 1024 {
			t.Errorf("csh takes no word of %d characters", len(word))
		}
	}
}
