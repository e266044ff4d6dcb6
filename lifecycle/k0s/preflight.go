package k0s

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// preflight asks the staged binary of the step's version what it thinks of the machine, with one command that changes nothing there:
// `k0s sysinfo` runs the checks that `k0s controller` and `k0s worker` of that version run before they start, and that the installed one
// cannot know. What is rejected blocks. An answer that is not understood is told and does not: k0s before v1.32 has none for programs.
func preflight(ctx context.Context, t *task) error {
	v := t.step.Version
	within, cancel := context.WithTimeoutCause(ctx, sysinfoWithin, fmt.Errorf("no answer within %s", sysinfoWithin))
	defer cancel()
	declared := t.filesOfContainerd(v)
	out, err := t.on.output(within, t.on.sysinfo(v, declared))
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		t.progress(notTold(v, sysinfoWithin.String()+" have passed without an answer"))
		return nil
	}
	if err != nil {
		return err
	}
	answer, rest, _ := strings.Cut(out, sysinfoEnds)
	probes, why := parseSysinfo([]byte(answer))
	if why != "" {
		t.progress(notTold(v, why))
		return nil
	}
	rejected, warned := verdict(probes, coming(declared, rest))
	if len(rejected) > 0 && t.on.ignoresPreflight() {
		rejected, warned = nil, append(rejected, warned...)
	}
	if len(warned) > 0 {
		t.progress(fmt.Sprintf("k0s %s warns of %s", v, strings.Join(few(warned), "; ")))
	}
	if len(rejected) > 0 {
		return lifecycle.Blockedf(t.on.host.Name, "k0s %s refuses this machine", v).
			Because(few(rejected)...).
			Try("Nothing of the upgrade was begun. Mend that on the machine, then run the same command again.")
	}
	return nil
}

// sysinfoWithin bounds the wait for the answer: the checks read a few files and look up "localhost". It is below the action's own bound.
const sysinfoWithin = 2 * time.Minute

// sysinfoEnds is what the machine says behind the answer; the checksums of files follow.
const sysinfoEnds = "kiban: sysinfo ends with"

func notTold(v fmt.Stringer, why string) string {
	return fmt.Sprintf("whether k0s %s can run here is not known before it starts: %s", v, why)
}

// sysinfo is the command that asks the staged binary of a version, for what the host does and where, and then for the checksums of files.
func (r *remote) sysinfo(v lifecycle.Version, files []lifecycle.HostFile) string {
	q := shellescape.Quote
	command := fmt.Sprintf("%s sysinfo -o json --controller=%t --worker=%t --data-dir=%s 2>&1; s=$?; echo; echo %s $s", q(r.paths.staged(v)),
		r.host.Role.IsController(), r.host.Role.RunsWorkloads(), q(r.paths.data), q(sysinfoEnds))
	if len(files) > 0 {
		command += "; sha256sum -b"
		for _, f := range files {
			command += " " + q(f.Path)
		}
		command += " 2>/dev/null"
	}
	return command + "; true"
}

// ignoresPreflight reports whether k0s is told to start whatever its checks say.
func (r *remote) ignoresPreflight() bool {
	return slices.ContainsFunc(r.host.Arguments, func(a string) bool {
		return a == "--ignore-pre-flight-checks" || a == "--ignore-pre-flight-checks=true"
	})
}

// filesOfContainerd are the declared files of the version's containerd. They are put while k0s is stopped for it: what the machine has in
// their place is not what the new k0s will find.
func (t *task) filesOfContainerd(v lifecycle.Version) []lifecycle.HostFile {
	return slices.DeleteFunc(slices.Clone(t.on.host.At(v).Files), func(f lifecycle.HostFile) bool {
		return !lifecycle.ReadByContainerd(f.Path) || !f.Known()
	})
}

// coming are the names of the files that the upgrade changes, by the checksums that the machine says they have now.
func coming(declared []lifecycle.HostFile, said string) []string {
	var out []string
	for _, f := range declared {
		if !strings.Contains(said, strings.TrimPrefix(f.Digest, "sha256:")) {
			out = append(out, path.Base(f.Path))
		}
	}
	return out
}

// probe is one check of `k0s sysinfo -o json` (cmd/sysinfo/sysinfo.go of k0s v1.36: a list, and exit status 1 where one of them fails).
// What an error was is not in it: k0s writes Go's error value, which has no fields.
type probe struct {
	Path     []string `json:"path"`
	Name     string   `json:"displayName"`
	Prop     string   `json:"prop"`
	Message  string   `json:"message"`
	Category string   `json:"category"`
}

// The outcomes that k0s knows.
const (
	probePasses  = "pass"
	probeWarns   = "warning"
	probeRejects = "rejected"
	probeFails   = "error"
)

// parseSysinfo reads the checks out of what the program printed; its log may stand before and behind them. why says why that is none of
// k0s's answers.
func parseSysinfo(said []byte) (probes []probe, why string) {
	for rest := said; ; {
		if bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte("[")) {
			if err := json.NewDecoder(bytes.NewReader(rest)).Decode(&probes); err == nil && understood(probes) {
				return probes, ""
			}
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	first := printable(firstLine(bytes.TrimSpace(said)))
	return nil, fmt.Sprintf("its sysinfo is not understood: %q", cmp.Or(first, "it says nothing"))
}

func understood(probes []probe) bool {
	known := []string{probePasses, probeWarns, probeRejects, probeFails}
	return len(probes) > 0 && !slices.ContainsFunc(probes, func(p probe) bool { return !slices.Contains(known, p.Category) })
}

// verdict is what k0s would not start with, and what it warns of. What it says of a file that the upgrade changes is neither.
func verdict(probes []probe, changed []string) (rejected, warned []string) {
	for _, p := range probes {
		if len(p.Path) > 0 && slices.Contains(changed, strings.TrimPrefix(p.Path[len(p.Path)-1], "file:")) {
			continue
		}
		switch p.Category {
		case probeRejects, probeFails:
			rejected = append(rejected, p.String())
		case probeWarns:
			warned = append(warned, p.String())
		}
	}
	return rejected, warned
}

// String is the check for people: "Containerd config snippet: a.toml: /etc/k0s/containerd.d/a.toml (expected 3, got 2)".
func (p probe) String() string {
	said := foreign(p.Name)
	if p.Prop != "" {
		said += ": " + foreign(p.Prop)
	}
	switch {
	case p.Message != "":
		said += " (" + foreign(p.Message) + ")"
	case p.Category == probeFails:
		said += " (the check itself failed)"
	}
	return said
}

func foreign(s string) string { return printable(lifecycle.MaskLog(s)) }

// few are the first of many.
func few(all []string) []string {
	const most = 6
	if len(all) <= most {
		return all
	}
	return append(slices.Clone(all[:most]), fmt.Sprintf("%d more", len(all)-most))
}
