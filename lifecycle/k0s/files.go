package k0s

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// putFiles puts the declared files that differ on the machine. When one of them is read at the start of k0s, the service is stopped before
// and started after, as for a new configuration: a run that dies in between leaves a stopped service for the next plan to see, not a
// running one with old files. With a version on the step another step follows, whose restart serves both; while k0s runs, it also puts what
// must not change before that.
func putFiles(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	v, follows := t.step.Version, !t.step.Version.IsZero()
	if !follows {
		v = f.host.Binary
	}
	runs := f.host.Service == lifecycle.ServiceRunning || f.host.Service == lifecycle.ServiceStarting
	if f.host.Service == lifecycle.ServiceRunning && t.step.Stopped {
		t.leave()
		return nil
	}
	due := slices.DeleteFunc(t.on.host.At(v).FileChanges(f.host), func(c lifecycle.FileChange) bool {
		return runs && follows && c.PutStopped()
	})
	starts := func(c lifecycle.FileChange) bool { return c.Restarts() || c.PutStopped() }
	if t.step.Keeps && len(due) > 0 || slices.ContainsFunc(due, starts) {
		if err := t.keepSettings(ctx, f, due); err != nil {
			return err
		}
	}
	if runs && !follows && slices.ContainsFunc(due, lifecycle.FileChange.Restarts) {
		t.progress("restarting k0s with the new files")
		if err := t.on.stop(ctx); err != nil {
			return err
		}
		if err := t.put(ctx, f, v, due); err != nil {
			return err
		}
		return t.on.launch(ctx)
	}
	picks := func(c lifecycle.FileChange) bool { return c.Content() && lifecycle.ReadByContainerd(c.Path) }
	if runs && t.on.host.Role.RunsWorkloads() && slices.ContainsFunc(due, picks) {
		return t.putWatched(ctx, f, v, due, containerdTakes())
	}
	return t.put(ctx, f, v, due)
}

// leave says that a step which was planned for a stopped k0s has found it running.
func (t *task) leave() {
	t.progress("k0s runs by now; what differs is left to the next plan, which has it restarted in its turn")
}

// putStopped puts the files that are for the version, on a machine whose k0s is stopped and is started at that version next.
func (t *task) putStopped(ctx context.Context, f facts, v lifecycle.Version) error {
	return t.put(ctx, f, v, t.changesStopped(f, v))
}

// changesStopped are the declared files that differ and that only the step puts which starts k0s at the version.
func (t *task) changesStopped(f facts, v lifecycle.Version) []lifecycle.FileChange {
	return slices.DeleteFunc(t.on.host.At(v).FileChanges(f.host), func(c lifecycle.FileChange) bool { return !c.PutStopped() })
}

// put puts files that differ. Only content decides: a fresh checkout changes every file's time (H11).
func (t *task) put(ctx context.Context, f facts, v lifecycle.Version, due []lifecycle.FileChange) error {
	if unknown := t.on.host.At(v).UnknownFiles(f.host); len(unknown) > 0 {
		return t.refuse("a declared file has no content here", fmt.Sprintf("%s: %s", unknown[0].Path, unknown[0].Missing),
			"Set what is missing and run the same command again: the machine has no such file yet")
	}
	units := false
	for _, c := range due {
		if err := t.on.putFile(ctx, c, !f.host.Installed()); err != nil {
			return fmt.Errorf("file %s: %w", c.Path, err)
		}
		units = units || strings.HasPrefix(c.Path, "/etc/systemd/system/")
	}
	if units {
		return t.on.run(ctx, "systemctl daemon-reload")
	}
	return nil
}

// putFile puts content, owner and mode in place at once, or none of them. The content travels on standard input, so it reaches no argument
// list. Before k0s is installed its users do not exist: then the file is early, and may be root's alone until ownFiles hands it over.
func (r *remote) putFile(ctx context.Context, c lifecycle.FileChange, early bool) error {
	q := shellescape.Quote
	handOver := func(file string) string {
		own := attributes(c, file)
		if early {
			own = fmt.Sprintf("{ { %s; } 2>/dev/null || chmod 0600 %s; }", own, q(file))
		}
		return own
	}
	if !c.Content() {
		return r.run(ctx, handOver(c.Path)+r.passable(c))
	}
	tmp, dir, dirMode := c.Path+".kiban-new", path.Dir(c.Path), first(c.DirMode, "0755")
	content, err := openContent(c.HostFile)
	if err != nil {
		return err
	}
	defer content.Close()
	// A connection that breaks ends a file early, and a large one, which is read again here, may have become another since it was reviewed.
	// A secret's digest is no secret of its own only where the secret can't be guessed, so it stays out of the command.
	whole := ""
	if !c.Secret {
		whole = fmt.Sprintf("[ \"$(sha256sum <%s)\" = '%s  -' ] && ", q(tmp), lifecycle.DigestHex(c.Digest))
	}
	command := fmt.Sprintf("[ -d %[1]s ] || install -d -m %[2]s %[1]s; install -m 0600 /dev/stdin %[3]s && "+
		"%[7]s%[4]s && mv -f %[3]s %[5]s%[6]s "+
		"|| { rm -f %[3]s; exit 1; }",
		q(dir), q(dirMode), q(tmp), handOver(tmp), q(c.Path), r.passable(c), whole)
	_, err = r.pipe(ctx, command, content, nil)
	return err
}

// passable is the rest of a command that lets k0s's users reach a file below the folder of k0s.yaml, which k0sctl and kiban make for root
// alone: an API server that may not enter the folder finds no audit policy there. What is secret in it has modes of its own.
func (r *remote) passable(c lifecycle.FileChange) string {
	dir := path.Dir(r.paths.config)
	if c.DirMode != "" || !strings.HasPrefix(c.Path, dir+"/") {
		return ""
	}
	return " && chmod o+x " + shellescape.Quote(dir)
}

// attributes is the command that gives a file its declared owner and mode, or those that it replaces.
func attributes(c lifecycle.FileChange, file string) string {
	q := shellescape.Quote
	mode := first(c.Mode, c.Have.Mode, c.NewMode)
	if mode == "" {
		mode = map[bool]string{false: "0644", true: "0600"}[c.Secret]
	}
	command := fmt.Sprintf("chmod %s %s", q(mode), q(file))
	if o := ownership(first(c.Owner, c.Have.Owner), first(c.Group, c.Have.Group)); o != "" {
		command = fmt.Sprintf("chown %s %s && %s", q(o), q(file), command) // chown takes away the bits of setuid
	}
	return command
}

func ownership(owner, group string) string { return strings.TrimSuffix(owner+":"+group, ":") }

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// ownFiles hands the declared files over to users that exist only once k0s is installed, before it is started.
func (t *task) ownFiles(ctx context.Context) error {
	q := shellescape.Quote
	var commands []string
	for _, f := range t.on.host.Files {
		o := ownership(f.Owner, f.Group)
		if o == "" {
			continue
		}
		mode := ""
		if m := first(f.Mode, f.NewMode); m != "" {
			mode = fmt.Sprintf(" && chmod %s %s", q(m), q(f.Path))
		}
		commands = append(commands, fmt.Sprintf("{ [ ! -f %[1]s ] || { chown %[2]s %[1]s%[3]s; }; }", q(f.Path), q(o), mode))
	}
	if len(commands) == 0 {
		return nil
	}
	return t.on.run(ctx, strings.Join(commands, " && "))
}
