package k0s

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/k0sproject/dig"
	"github.com/k0sproject/rig/v2/sh/shellescape"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// configure gives a controller the declared k0s.yaml. If its service runs, it is stopped before the file is put in place and
// started after, so that a run that dies in between leaves a stopped service for the next plan to see, not a running one with an
// old configuration. With a version on the step an upgrade follows, which restarts the service anyway.
func configure(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if f.host.Service == lifecycle.ServiceRunning && t.step.Stopped {
		t.leave()
		return nil
	}
	text, err := configFor(t.cluster, t.on.k0s, false)
	if err != nil || text == nil {
		return err
	}
	if text, err = t.heldBack(text); err != nil {
		return err
	}
	restart := f.host.Service == lifecycle.ServiceRunning && t.step.Version.IsZero()
	return t.configureWith(ctx, f, text, restart)
}

// heldBack is a k0s.yaml that has the programs act as the release that the step says, if it says one.
func (t *task) heldBack(text []byte) ([]byte, error) {
	if t.step.Emulates.IsZero() || text == nil {
		return text, nil
	}
	return emulating(text, t.step.Emulates)
}

func (t *task) configureWith(ctx context.Context, f facts, text []byte, restart bool) error {
	want, err := canonical(text)
	if err != nil {
		return err
	}
	if bytes.Equal(want, f.host.Config) {
		return nil
	}
	candidate, err := t.candidate(ctx, f, text)
	if err != nil {
		return err
	}
	if err := t.keepSettings(ctx, f, nil); err != nil {
		return err
	}
	if restart {
		t.progress("restarting k0s with the new configuration")
		if err := t.on.stop(ctx); err != nil {
			return err
		}
	}
	q := shellescape.Quote
	conf := q(t.on.paths.config)
	// a file that no tool wrote is an administrator's: it is kept
	keep := fmt.Sprintf("if [ -f %s ] && ! grep -qF -- ' generated-by-k0sctl' %s; then mv -f %s %s; fi", conf, conf, conf,
		q(t.on.paths.config+".old"))
	if err := t.on.run(ctx, fmt.Sprintf("%s; mv -f %s %s", keep, q(candidate), conf)); err != nil {
		return err
	}
	if restart {
		return t.on.launch(ctx)
	}
	return nil
}

// candidate writes the new configuration beside the present one and lets k0s validate it: the staged binary if there is one, for
// it is the one that will have to read it.
func (t *task) candidate(ctx context.Context, f facts, text []byte) (string, error) {
	q := shellescape.Quote
	file := t.on.paths.config + ".kiban-candidate"
	if err := t.on.write(ctx, file, append([]byte(configHeader), text...), "0600", "0750"); err != nil {
		return "", err
	}
	k0s := t.on.paths.binary
	if v := t.step.Version; !v.IsZero() && slices.Contains(f.host.Staged, v) {
		k0s = t.on.paths.staged(v)
	}
	command := fmt.Sprintf("%s config validate --config=%s", q(k0s), q(file))
	if gates := t.on.k0s.InstallFlags.GetValue("--feature-gates"); gates != "" {
		command += " --feature-gates=" + q(gates)
	}
	if err := t.on.run(ctx, command); err != nil {
		err = errors.Join(err, t.cleanUp(t.on.host.Name, func(ctx context.Context, r *remote) error { return r.run(ctx, "rm -f "+q(file)) }))
		if ctx.Err() != nil {
			return "", err
		}
		d := lifecycle.Errorf(t.on.host.Name, "k0s rejects the configuration").
			Try("Correct spec.k0s.config in the cluster document; the machine keeps the configuration it has").
			From(err)
		d.Cause = errors.Join(err, lifecycle.ErrStartedAsItWas) // k0s was not stopped for it
		return "", d
	}
	return file, nil
}

// settleConfig gives a controller that is about to be installed its k0s.yaml. Where the document leaves it to k0s, it is the one of
// the controller to join, or else k0s's default: as k0sctl has it.
func (t *task) settleConfig(ctx context.Context, f facts, from *remote) error {
	if !t.on.k0s.IsController() {
		return nil
	}
	if len(t.cluster.Spec.K0s.Config) == 0 {
		if f.host.Config != nil && from == nil {
			return nil
		}
		base, err := t.baseConfig(ctx, from)
		if err != nil {
			return err
		}
		t.cluster.Spec.K0s.Config = base
	}
	text, err := configFor(t.cluster, t.on.k0s, from == nil)
	if err == nil {
		text, err = t.heldBack(text)
	}
	if err != nil {
		return err
	}
	return t.configureWith(ctx, f, text, false)
}

func (t *task) baseConfig(ctx context.Context, from *remote) (dig.Mapping, error) {
	q := shellescape.Quote
	var text string
	var err error
	if from != nil {
		text, err = from.output(ctx, fmt.Sprintf("if [ -f %[1]s ]; then cat %[1]s; fi", q(from.paths.config)))
	}
	if err == nil && text == "" {
		text, err = t.on.output(ctx, fmt.Sprintf("%s config create --data-dir=%s", q(t.on.paths.binary), q(t.on.paths.data)))
	}
	if err != nil {
		return nil, err
	}
	base := dig.Mapping{}
	if err := yaml.Unmarshal([]byte(text), &base); err != nil {
		return nil, fmt.Errorf("%s is not YAML: %w", path.Base(t.on.paths.config), err)
	}
	return base, nil
}
