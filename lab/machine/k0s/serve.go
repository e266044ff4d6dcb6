package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/kubelet"
	"kiban.dev/kiban/lab/machine/systemd"
)

// Exec runs what a unit's command line names: a k0s binary as controller or worker, until it exits or ctx ends.
func (k *StandIn) Exec(ctx context.Context, p systemd.Process, log io.Writer) error {
	if len(p.Argv) == 0 {
		return errUsage
	}
	version, err := BinaryVersion(k.opts.Root, p.Argv[0])
	if err != nil {
		fmt.Fprintf(log, "systemd[1]: %s.service: Failed to execute %s: %v", p.Unit, p.Argv[0], err)
		return err
	}
	role, f, err := parseRole(p.Argv)
	if err != nil {
		fmt.Fprintf(log, "k0s[%d]: Error: %v", p.PID, err)
		return err
	}
	r := &running{version: version, role: role, argv: p.Argv, pid: p.PID, unit: p.Unit, flags: f, node: f.nodeName(k.opts.Hostname()),
		log: log}
	k.mu.Lock()
	k.running = r
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.running = nil
		k.mu.Unlock()
	}()
	fmt.Fprintf(log, "k0s[%d]: time=%q level=info msg=\"starting k0s %s %s\"", p.PID, time.Now().Format(time.RFC3339), version, role)
	err = k.serve(ctx, r)
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("exited")
	}
	fmt.Fprintf(log, "k0s[%d]: Error: %v", p.PID, err)
	return err
}

func (k *StandIn) serve(ctx context.Context, r *running) error {
	if k.opts.Faults.crashes(r.version) {
		wait(ctx, k.opts.Timing.Crash)
		return fmt.Errorf("pre-flight checks failed: this machine was told that %s cannot run", r.version)
	}
	if k.opts.Faults.isUnfit(r.version) {
		return errors.New("pre-flight checks failed, check out `k0s sysinfo`")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		wait(ctx, k.opts.Timing.Status)
		k.mu.Lock()
		r.answering = ctx.Err() == nil
		k.mu.Unlock()
	}()
	wait(ctx, k.opts.Timing.Start)
	if r.flags.runsKubelet(r.role) {
		if err := k.containerd(r.version).start(ctx); err != nil {
			return err
		}
	}
	if r.role == "worker" {
		token, err := k.token(r.flags)
		if err != nil {
			return err
		}
		return k.kubelet(ctx, r, token, nil, nil)
	}
	return k.control(ctx, r)
}

// token reads the join token, which is not there any more on a machine that has joined long ago.
func (k *StandIn) token(f flags) (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	b, err := k.opts.Root.ReadFile(f.tokenFile)
	if err != nil {
		if _, joined := k.opts.Root.Stat(f.dataDir + "/pki"); joined == nil {
			return "", nil
		}
		if _, joined := k.opts.Root.Stat(f.dataDir + "/kubelet.conf"); joined == nil {
			return "", nil
		}
		return "", pathError(err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (k *StandIn) control(ctx context.Context, r *running) error {
	wait(ctx, time.Duration(k.opts.Faults.slow.Load()))
	cfg, err := k.config(r.flags.config)
	if err != nil {
		return err
	}
	token, err := k.token(r.flags)
	if err != nil {
		return err
	}
	c := k.controller(r.version, r.flags.dataDir)
	c.Config, c.JoinToken, c.Readable = cfg, token, k.readable
	c.Supervised = func(program string) {
		fmt.Fprintf(r.log, "k0s[%d]: time=%q level=info msg=\"Starting to supervise\" component=%s", r.pid,
			time.Now().Format(time.RFC3339), program)
	}
	k.mu.Lock()
	r.controller = c
	k.mu.Unlock()
	if k.opts.Faults.crashesServing(r.version) {
		return untilItServes(ctx, c)
	}
	if !r.flags.runsKubelet(r.role) {
		return c.Run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- k.ownNode(ctx, r, c) }()
	err = c.Run(ctx)
	cancel()
	return errors.Join(err, <-done)
}

// untilItServes runs a controller that exits as soon as its API server has answered.
func untilItServes(ctx context.Context, c *controlplane.Controller) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for c.ReadyZ(ctx) != nil && ctx.Err() == nil {
			wait(ctx, 200*time.Millisecond)
		}
		cancel()
	}()
	return errors.Join(c.Run(ctx), errors.New("panic: this machine was told that its API server answers once"))
}

// readable reports whether the API server, which does not run as root, may read a file of the machine. Only the file's own mode counts.
func (k *StandIn) readable(path string) error {
	fi, err := k.opts.Root.Stat(path)
	if err != nil {
		return nil // the API server says that itself
	}
	mode, uid, gid := fi.Mode().Perm(), fi.UID(), fi.GID()
	if mode&0o004 != 0 || uid == apiServerUID && mode&0o400 != 0 || gid == apiServerUID && mode&0o040 != 0 {
		return nil
	}
	return fmt.Errorf("open %s: %w", path, fs.ErrPermission)
}

// ownNode runs the kubelet of a controller, which makes a token for itself.
func (k *StandIn) ownNode(ctx context.Context, r *running, c *controlplane.Controller) error {
	for c.ReadyZ(ctx) != nil {
		if wait(ctx, 200*time.Millisecond); ctx.Err() != nil {
			return nil
		}
	}
	if k.opts.Light {
		return k.aloneNode(ctx, r, c)
	}
	token := ""
	if _, err := k.opts.Root.Stat(r.flags.dataDir + "/kubelet.conf"); err != nil {
		if token, err = c.CreateToken(ctx, "worker", time.Hour); err != nil {
			return err
		}
		if t, err := controlplane.ParseToken(token); err == nil {
			defer func() { _ = c.InvalidateToken(context.WithoutCancel(ctx), t.ID) }() // it expires by itself
		}
	}
	labels, taints := ofController(r.flags)
	return k.kubelet(ctx, r, token, labels, taints)
}

// ofController are the labels and taints of a controller's own node.
func ofController(f flags) (labels map[string]string, taints []corev1.Taint) {
	labels = map[string]string{"node.k0sproject.io/role": "control-plane", "node-role.kubernetes.io/control-plane": "true"}
	if !f.noTaints && !f.single {
		taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
	}
	return labels, taints
}

// aloneNode runs the kubelet of a light controller.
func (k *StandIn) aloneNode(ctx context.Context, r *running, c *controlplane.Controller) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	labels, taints := ofController(r.flags)
	k.opts.Fleet.Alone(ctx, k.worker(r, "", labels, taints), client)
	return nil
}

func (k *StandIn) kubelet(ctx context.Context, r *running, token string, labels map[string]string, taints []corev1.Taint) error {
	if labels == nil {
		labels = map[string]string{}
	}
	if zone := k.opts.Node.Zone; zone != "" {
		labels[corev1.LabelTopologyZone] = zone
	}
	for _, l := range strings.Split(r.flags.labels, ",") {
		if key, v, ok := strings.Cut(l, "="); ok {
			labels[key] = v
		}
	}
	for _, t := range strings.Split(r.flags.taints, ",") {
		if pair, effect, ok := strings.Cut(t, ":"); ok {
			key, v, _ := strings.Cut(pair, "=")
			taints = append(taints, corev1.Taint{Key: key, Value: v, Effect: corev1.TaintEffect(effect)})
		}
	}
	if err := kubelet.CheckFlags(r.flags.kubeletExtraArgs); err != nil {
		k.superviseInVain(ctx, r, err)
		return nil
	}
	if err := k.opts.Fleet.Join(ctx, k.worker(r, token, labels, taints)); err != nil {
		return err
	}
	defer k.opts.Fleet.Leave(r.node)
	k.containerd(r.version).watch(ctx, r.node)
	return nil
}

// worker is what the kubelet is told of this machine.
func (k *StandIn) worker(r *running, token string, labels map[string]string, taints []corev1.Taint) kubelet.Worker {
	return kubelet.Worker{Name: r.node, Addr: k.opts.Address, DataDir: k.opts.Disk.Real(r.flags.dataDir), Version: r.version,
		Token: token, Labels: labels, Taints: taints, Arch: k.opts.Hardware.Filled().Arch, Capacity: k.opts.Node.Capacity,
		Allocatable: k.opts.Node.Allocatable}
}

// respawn is how long k0s waits before it starts a program again that has ended.
const respawn = 5 * time.Second

// superviseInVain is what k0s does with a kubelet that ends each time that it is started: it goes on, and starts it again and again.
func (k *StandIn) superviseInVain(ctx context.Context, r *running, why error) {
	for ctx.Err() == nil {
		fmt.Fprintf(r.log, "k0s[%d]: time=%q level=info msg=\"Error: %s\" component=kubelet stream=stderr", r.pid,
			time.Now().Format(time.RFC3339), why)
		fmt.Fprintf(r.log, "k0s[%d]: time=%q level=warning msg=\"Failed to run process: exit status 1; respawning in 5s\" component=kubelet",
			r.pid, time.Now().Format(time.RFC3339))
		wait(ctx, respawn)
	}
}

// Kill is power loss: pods die with the machine.
func (k *StandIn) Kill() { k.opts.Fleet.KillPods(k.nodeName()) }

// Node is the name of the machine's node.
func (k *StandIn) Node() string { return k.nodeName() }

// cutVersion splits v1.36.3+k0s.2.
func cutVersion(v string) (kube, build string, ok bool) { return strings.Cut(v, "+k0s.") }
