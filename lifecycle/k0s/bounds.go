package k0s

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// What is read of a machine is bounded everywhere: it may have gone mad, or be somebody else's by now. The bounds are far from what a
// sound machine says. An answer that passes one is not believed at all.
const (
	// maxAnswer bounds what is read of one command's output.
	maxAnswer = 4 << 20
	// maxLibrary bounds the output of commands that k0sctl itself sends. It is below the longest line that rig's log can take, 1 MiB.
	maxLibrary = 512 << 10
	// maxBackup bounds a backup as a controller gives it: etcd holds at most 8 GiB, and k0s packs them.
	maxBackup = 32 << 30
	// maxCertificates bounds what is shown of certificates: of each of 16 files, 64 KiB.
	maxCertificates = 1088 << 10
	// maxFact bounds one line of the facts.
	maxFact = 8 << 10
	// maxBinaries bounds the binaries of k0s, staged and former, that lie on a machine.
	maxBinaries = 64
	// maxDropIns bounds the files that k0s gives to its containerd; the script leaves out what is beyond.
	maxDropIns = 64
	// maxMembers bounds the members of an etcd.
	maxMembers = 64
	// maxArguments bounds the arguments of a service.
	maxArguments = 256
	// maxName bounds names, addresses and versions of kernels.
	maxName = 253
)

// bound is how much of a block is read. What is cut is a program's own words; anything else must be whole, or is not believed.
type bound struct {
	bytes int
	cut   bool
}

// blocks are the blocks that the script prints.
func blocks() map[string]bound {
	return map[string]bound{
		"os": {16 << 10, false}, "free": {16 << 10, true}, "room": {16 << 10, true}, "version": {16 << 10, true}, "unitfile": {128 << 10, false},
		"service": {16 << 10, false}, "status": {64 << 10, true}, "kubeconfig": {maxKubeconfig, false}, "etcd": {64 << 10, true},
		"etcdsays": {16 << 10, true}, "acts": {4 << 10, true},
		"config": {1 << 20, false}, "ran": {4 << 10, true}, "certificates": {maxCertificates, false},
	}
}

// counts are the facts that the script prints, and how many of each it may. declared is how many files the host declares.
func counts(declared int) map[string]int {
	out := map[string]int{"staged": maxBinaries, "former": maxBinaries, "file": declared, "dropin": maxDropIns}
	for _, once := range []string{"uid", "shell", "facts", "load", "patience", "clock", "hostname", "kernel", "boot", "epoch", "machine",
		"cgroup", "memory",
		"systemd", "unit", "environment", "data", "restored", "pinheld", "kept", "keptrun", "uptime",
		"halfkept", "server", "token", "spent", "done"} {
		out[once] = 1
	}
	return out
}

// tooMuch is an answer that passes a bound.
type tooMuch struct{ what string }

func (e tooMuch) Error() string { return "it says more than any sound machine does: " + e.what }

// endless is the reason why a context ended, where that is an answer that passed a bound.
func endless(ctx context.Context) error {
	if more, ok := errors.AsType[tooMuch](context.Cause(ctx)); ok {
		return more
	}
	return nil
}

// short is a short text of a machine: what has no business in a name is left out.
func short(s string) string {
	s = printable(s)
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName])
	}
	return s
}

// firstLine is a program's own words in a finding: one line, fit to be shown, without what looks like a secret.
func firstLine(text []byte) string {
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if len(first) > maxFact {
		first = strings.ToValidUTF8(first[:maxFact], "")
	}
	return printable(lifecycle.MaskLog(first))
}

// digestOnly keeps a digest as it is, and of anything else that a file has in its place only what identifies it.
func digestOnly(s string) string {
	hash, ok := strings.CutPrefix(s, "sha256:")
	if s == "" || ok && len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == "" {
		return s
	}
	return lifecycle.Digest([]byte(s))
}

func bytesOf(what string, n, most int) tooMuch {
	return tooMuch{fmt.Sprintf("%s of %d bytes, where at most %d are read", what, n, most)}
}
