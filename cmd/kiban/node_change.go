package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// nodeVerb is what a changing verb is called and has to say for itself.
type nodeVerb struct {
	verb                 lifecycle.NodeVerb
	short, long, example string
	done                 string // "worker-3 is <done>"
	already              string // "worker-3 is <already>": there was nothing to do
	force                string // what --force is for; "" where the verb has none
}

func nodeVerbs() []nodeVerb {
	return []nodeVerb{
		{verb: lifecycle.NodeCordon, short: "Close a node for new pods, with a reason", done: "cordoned", already: "cordoned already",
			long: `Close a node for new pods. Its mark carries the reason and keeps it closed: kiban apply leaves it so until kiban node uncordon.
A node that an administrator has cordoned is left as it is; --force puts the mark on it.`,
			example: "  kiban node cordon tokyo-prod worker-3 --reason 'noisy fan, ticket 4711'",
			force:   "put the mark also on a node that an administrator has cordoned"},
		{verb: lifecycle.NodeUncordon, short: "Return a node to service when it is well", done: "in service", already: "in service already",
			long: `Return a node to service, when k0s on it runs, its node is Ready and its daemon sets are whole.
A node that was cordoned by other means than kiban is not opened: somebody had a reason. --force opens it all the same.`,
			example: "  kiban node uncordon tokyo-prod worker-3", force: "open also a node that an administrator has cordoned"},
		{verb: lifecycle.NodeDrain, short: "Close a node and move its pods away", done: "out of service", already: "out of service already",
			long: `Close a node for new pods and move its pods away, as an upgrade does: when a window is open, every other node is Ready and the
disruption budgets allow it. The node stays closed until kiban node uncordon.`,
			example: "  kiban node drain tokyo-prod worker-3 --reason 'new disks'",
			force:   "put the mark also on a node that an administrator has cordoned"},
		{verb: lifecycle.NodeMaintain, short: "Take a machine out of service, work on it, verify it, return it",
			done: "maintained and in service", already: "in service already",
			long: `Take a machine out of service as an upgrade does, let work be done on it, verify that it is well, and return it.
The work is yours: press Enter when it is done. Or it is a command behind --, which runs on the machine as root, word by word
(-- sh -c '...' for a shell). Or it is a reboot, with --reboot.

Whatever fails or interrupts this leaves the node closed, with its mark: run the same again, or kiban node uncordon.`,
			example: "  kiban node maintain tokyo-prod worker-3 --reason 'new disks'\n" +
				"  kiban node maintain tokyo-prod worker-3 --yes -- apt-get -y upgrade\n  kiban node maintain tokyo-prod worker-3 --reboot",
			force: "take over a cordon that an administrator made, and open it in the end"},
		{verb: lifecycle.NodeReboot, short: "Reboot a machine: out of service, reboot, verify, return", done: "rebooted and in service",
			already: "in service already",
			long: `Reboot a machine: kiban node maintain --reboot. It has rebooted when its boot id is another one; it returns to service when it
is well. A controller is rebooted only while the others keep etcd's quorum and serve the API.`,
			example: "  kiban node reboot tokyo-prod worker-3 --yes",
			force:   "take over a cordon that an administrator made, and open it in the end"},
		{verb: lifecycle.NodeRemove, short: "Take a machine out of the cluster and wipe k0s from it", done: "removed",
			already: "no part of the cluster",
			long: `Take a machine out of the cluster: empty its node, let a controller leave etcd while its service still runs, wipe k0s, delete
its objects. One of two controllers is not removed, nor any that etcd's quorum needs.

Take it out of the overlay too, or set reset: true on it: the next apply would join it again.`,
			example: "  kiban node remove tokyo-prod worker-3"},
		{verb: lifecycle.NodeReplace, short: "Take out a machine that is dead, so that another can join in its name", done: "out of the cluster",
			already: "no part of the cluster",
			long: `Take out what is left of a machine that is dead: its etcd membership, through another controller, and its node. It is refused
while the machine answers. Then put another machine in its place, with its host key in the site's known_hosts; the next apply joins it.`,
			example: "  kiban node replace tokyo-prod worker-3\n  kiban apply tokyo-prod"},
	}
}

func newNodeVerb(a *app, v nodeVerb, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	opts := &nodeOptions{app: a, Task: lifecycle.NodeTask{Verb: v.verb}}
	reboot := false
	use := string(v.verb) + " SITE NODE"
	if v.verb == lifecycle.NodeMaintain {
		use += " [-- COMMAND...]"
	}
	cmd := &cobra.Command{
		Use: use, Short: v.short, Long: v.long, Example: v.example,
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if dash := cmd.ArgsLenAtDash(); v.verb == lifecycle.NodeMaintain && dash >= 0 {
				args, opts.Task.Command = args[:dash], args[dash:]
			}
			if opts.Site, opts.Task.Host, err = a.siteAndNode(cmd, args); err != nil {
				return err
			}
			if reboot && len(opts.Task.Command) > 0 {
				return usage(cmd, "either a command or --reboot, not both")
			}
			if reboot {
				opts.Task.Verb = lifecycle.NodeReboot
			}
			if opts.awaits() && !a.InTTY {
				return usage(cmd, "nobody is here to say when the work is done: stdin is not a terminal. "+
					"Give a command behind --, or --reboot, or use node drain and node uncordon")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return nodeChangeRun(cmd.Context(), opts, v)
		},
	}
	f := cmd.Flags()
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	f.StringVar(&opts.Task.Reason, "reason", "", "why, for the mark on the node and for the record")
	if v.force != "" {
		f.BoolVar(&opts.Task.Force, "force", false, v.force)
	}
	if v.verb == lifecycle.NodeMaintain {
		f.BoolVar(&reboot, "reboot", false, "reboot the machine")
		f.DurationVar(&opts.Task.CommandTimeout, "command-timeout", lifecycle.CommandTimeout, "how long the command may take")
	}
	if v.verb == lifecycle.NodeMaintain || v.verb == lifecycle.NodeReboot {
		f.DurationVar(&opts.Task.BootTimeout, "boot-timeout", lifecycle.BootTimeout, "how long the machine may be away when it reboots")
	}
	return cmd
}

// awaits reports whether the work is the operator's own.
func (o *nodeOptions) awaits() bool {
	return o.Task.Verb == lifecycle.NodeMaintain && len(o.Task.Command) == 0
}

func nodeChangeRun(ctx context.Context, opts *nodeOptions, v nodeVerb) error {
	a, host := opts.app, opts.Task.Host
	confirm := a.confirmAs(opts.Yes, opts.Site, opts.Task.CommandLine(opts.Site, opts.LockTimeout, "--yes"))
	var result session.Result
	_, err := a.withMachines(ctx, opts.Site, session.Options{Glance: true, LockTimeout: opts.LockTimeout, Hooks: asking(confirm)},
		func(s *session.Session) (err error) {
			result, err = s.Node(ctx, opts.Task)
			return err
		})
	switch {
	case err != nil:
		return err
	case result.Run == "":
		return a.result(fmt.Sprintf("%s is %s.", host, v.already))
	}
	return a.result(fmt.Sprintf("%s is %s: %s.", host, v.done, result.Summary))
}
