package k0s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// spentToken is what a join token's file holds once it has served. The words are k0sctl's.
const spentToken = "# overwritten by k0sctl after join\n"

// joinWithin bounds the wait for a joined machine to have its own credentials, until when its token must stay valid.
const joinWithin = 5 * time.Minute

// initialize installs and starts the first controller.
func initialize(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if f.host.Service == lifecycle.ServiceRunning && f.host.Running == t.step.Version {
		return nil
	}
	if err := t.installable(f, t.step.Version); err != nil {
		return err
	}
	if err := t.installAnew(ctx, f, nil, ""); err != nil {
		return err
	}
	if t.cluster.Spec.K0s.DynamicConfig {
		return t.localConfigOnly(ctx)
	}
	return nil
}

// installAnew puts binary, configuration and service on a machine that has none, or only part of it, and starts it. from is
// a running controller to join; nil for the first.
func (t *task) installAnew(ctx context.Context, f facts, from *remote, tokenFile string) error {
	if err := t.on.k0s.RunHooks(ctx, "install", "before"); err != nil {
		return err
	}
	if err := t.ifWhole(ctx, f, t.step.Version, ""); err != nil {
		return err
	}
	if f.host.Service == lifecycle.ServiceRunning || f.host.Service == lifecycle.ServiceStarting {
		if err := t.on.stop(ctx); err != nil { // an earlier attempt, of another version or going round in circles
			return err
		}
	}
	if err := t.place(ctx, &f, t.step.Version); err != nil {
		return err
	}
	if err := t.putStopped(ctx, f, t.step.Version); err != nil {
		return err
	}
	if err := t.settleConfig(ctx, f, from); err != nil {
		return err
	}
	if err := t.install(ctx, f, tokenFile); err != nil {
		return err
	}
	if err := t.ownFiles(ctx); err != nil {
		return err
	}
	t.progress(fmt.Sprintf("starting k0s %s", t.step.Version))
	if err := t.on.launch(ctx); err != nil {
		return err
	}
	return t.on.k0s.RunHooks(ctx, "install", "after")
}

// localConfigOnly leaves the first controller of a cluster with dynamic configuration with what every other has: its own part.
// The rest is in the cluster by then, so nothing is restarted.
func (t *task) localConfigOnly(ctx context.Context) error {
	err := until(ctx, "the cluster's configuration object", joinWithin, func(ctx context.Context) (bool, error) {
		err := t.on.run(ctx, t.on.kubectl("get clusterconfig k0s -n kube-system"))
		return err == nil, err
	})
	if err != nil {
		return err
	}
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	text, err := configFor(t.cluster, t.on.k0s, false)
	if err != nil || text == nil {
		return err
	}
	return t.configureWith(ctx, f, text, false)
}

// join adds a machine to the cluster. Its token is made for it alone, and is invalid and overwritten when the step ends, however
// it ends (H16).
func join(ctx context.Context, t *task) (err error) {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if f.host.Service == lifecycle.ServiceRunning && f.host.Running == t.step.Version && t.member(ctx, f) {
		if f.host.Token {
			return t.spendFound(ctx)
		}
		return nil
	}
	if err := t.installable(f, t.step.Version); err != nil {
		return err
	}
	leader, _, err := t.controller(ctx, t.on.host.Name)
	if err != nil {
		return err
	}
	token, err := t.token(ctx, leader)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.spend(leader, token.ID)) }()
	if err := t.on.write(ctx, t.on.paths.token, []byte(token.Token), "0600", "0750"); err != nil {
		return err
	}
	if f.host.Running == t.step.Version { // an earlier attempt goes on by itself, and may have come to its end since it was looked at
		if ok, _ := t.joined(ctx); ok {
			return nil
		}
	}
	if err := t.installAnew(ctx, f, leader, t.on.paths.token); err != nil {
		return err
	}
	t.progress(fmt.Sprintf("waiting until the machine has joined, %s at most", joinWithin))
	what := "its own credentials"
	if t.on.k0s.IsController() {
		what = "a ready API server"
	}
	return t.awaitJoined(ctx, what)
}

// token makes a join token on a running controller. It is a secret: it is neither logged nor part of any command.
func (t *task) token(ctx context.Context, leader *remote) (cluster.TokenData, error) {
	role, expiry := "worker", "10m0s"
	if t.on.k0s.IsController() {
		role, expiry = "controller", "30m0s"
	}
	q := shellescape.Quote
	var out string
	err := until(ctx, "a join token", time.Minute, func(ctx context.Context) (ok bool, err error) {
		out, err = leader.output(ctx, fmt.Sprintf("%s token create --role=%s --expiry=%s --data-dir=%s", q(leader.paths.binary), role, expiry,
			q(leader.paths.data)))
		return err == nil, err
	})
	if err != nil {
		return cluster.TokenData{}, err
	}
	return cluster.ParseToken(out)
}

// spend makes a token worthless, and overwrites it where it lies.
func (t *task) spend(leader *remote, id string) error {
	q := shellescape.Quote
	return errors.Join(
		t.cleanUp(leader.host.Name, func(ctx context.Context, r *remote) error {
			err := r.run(ctx, fmt.Sprintf("%s token invalidate --data-dir=%s %s", q(r.paths.binary), q(r.paths.data), q(id)))
			if err != nil && strings.Contains(err.Error(), `"bootstrap-token-`+id+`" not found`) {
				return nil // a run that was cut off came as far, or it has run out: it is worthless already
			}
			return err
		}),
		t.cleanUp(t.on.host.Name, func(ctx context.Context, r *remote) error {
			return r.write(ctx, r.paths.token, []byte(spentToken), "0600", "0750")
		}))
}

// member reports whether a running machine has joined already: an earlier run may have been interrupted before or after that.
func (t *task) member(ctx context.Context, f facts) bool {
	if slices.ContainsFunc(f.etcd, func(e lifecycle.EtcdMember) bool { return t.on.host.Owns(e) }) {
		return true
	}
	ok, _ := t.joined(ctx)
	return ok
}

// joined reports whether the machine no longer needs its token: a worker has its kubelet's own credentials; a controller's API server
// is ready, its etcd included.
func (t *task) joined(ctx context.Context) (bool, error) {
	q := shellescape.Quote
	command := "[ -s " + q(t.on.paths.data+"/kubelet.conf") + " ]"
	if t.on.k0s.IsController() {
		command = t.on.kubectl("get --raw=/readyz")
	}
	err := t.on.run(ctx, command)
	return err == nil, err
}

// kubectl is a kubectl command with a controller's administrator credentials.
func (r *remote) kubectl(args string) string {
	q := shellescape.Quote
	return fmt.Sprintf("env %s %s kubectl %s", q("KUBECONFIG="+r.paths.data+"/pki/admin.conf"), q(r.paths.binary), args)
}
