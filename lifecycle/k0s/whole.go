package k0s

import (
	"context"
	"fmt"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// damaged is how the machine says that the staged binary is not what was staged; its checksum follows.
const damaged = "kiban: damaged"

// ifWhole runs a command on the machine, "" for none, if the staged binary of a version is what the repository or its source says that it
// is, by content: a name proves nothing after a power cut. Both are one command, so that nothing comes between. A damaged one is staged
// again first. On a machine that has the version in place already, the command is just run.
func (t *task) ifWhole(ctx context.Context, f facts, v lifecycle.Version, command string) error {
	switch {
	case f.host.Binary == v && command == "":
		return nil
	case f.host.Binary == v:
		return t.on.run(ctx, command)
	case command == "":
		command = ":"
	}
	want, err := t.checksum(ctx, v, f.host.Arch)
	if err != nil {
		return err
	}
	sum, err := t.comparing(ctx, v, want, command)
	if err != nil || sum == "" {
		return err
	}
	t.progress(fmt.Sprintf("the staged k0s %s is damaged (its checksum is %s): it is staged again, nothing was stopped", v, sum))
	if err := t.bring(ctx, f, v); err != nil {
		return err
	}
	sum, err = t.comparing(ctx, v, want, command)
	if err != nil || sum == "" {
		return err
	}
	return lifecycle.Errorf(t.on.host.Name, "the staged k0s %s is damaged, and was so again after it was staged anew", v).
		Because(fmt.Sprintf("its checksum is %s, and should be %s; nothing was stopped", sum, want)).
		Try("Check the machine's disk, and run the same command again")
}

// comparing runs the command if the staged binary has that checksum. If not, it gives the one that it has.
func (t *task) comparing(ctx context.Context, v lifecycle.Version, want, command string) (other string, err error) {
	out, err := t.on.output(ctx, fmt.Sprintf(
		"sum=$(sha256sum -b %s); sum=${sum%%%% *}; if [ \"$sum\" = %s ]; then %s; else echo \"%s $sum\"; fi",
		shellescape.Quote(t.on.paths.staged(v)), want, command, damaged))
	if err != nil {
		return "", err
	}
	sum, found := strings.CutPrefix(out, damaged)
	if !found {
		return "", nil
	}
	if sum = printable(strings.TrimSpace(sum)); sum == "" {
		sum = "not to be had"
	}
	return sum, nil
}
