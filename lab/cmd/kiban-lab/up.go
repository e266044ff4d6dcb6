package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/applet"
	"kiban.dev/kiban/lab/machine"
)

// ready is the first line of what a lab says when every SSH server answers.
const ready = "ready"

func upCommand(dir *string) *cobra.Command {
	var o machine.Options
	var detach, verbose bool
	var machines string
	c := &cobra.Command{Use: "up", Short: "Start a lab", Args: cobra.NoArgs,
		Long: "Start a lab in the foreground, or with --detach in the background. Without --keep its machines are new ones.\n" +
			"The folder's lab.json then says where they are: net, port, keys, mirror, and each machine with its address.\n\n" +
			"--machines describes them one by one, in YAML or JSON:\n" +
			"  - {name: cp-1, role: controller}\n" +
			"  - {name: node-a.example.com, role: worker, cpus: 8, memory: 32Gi, pods: 250, zone: rack-1}\n" +
			"Further fields: arch (amd64, arm64), disk, diskFree, and capacity and allocatable, which overrule what the node's status would\n" +
			"have from the others. Sizes are bytes. nproc, free, /proc/meminfo, df, uname and the node follow."}
	f := c.Flags()
	f.IntVar(&o.Controllers, "controllers", 1, "machines controller-1 at <net>.11 and on")
	f.IntVar(&o.Workers, "workers", 2, "machines worker-1 at <net>.101 and on; a hundred to each third octet")
	f.StringVar(&machines, "machines", "", "a file that describes each machine, instead of --controllers and --workers")
	f.StringVar(&o.Net, "net", "127.88.0", "the first three octets of the machines' addresses; auto: some that no other lab has")
	f.StringVar(&o.Prefix, "prefix", "", "put before the machines' names")
	f.BoolVar(&o.Keep, "keep", false,
		"go on with the machines that the folder holds: as many, of the same names, on the same net unless said")
	f.StringSliceVar(&o.Versions, "version", machine.Versions(), "a release to put into the mirror; may be repeated")
	f.Float64Var(&o.LeaseScale, "lease-scale", 1, "shorten (below 1) the leader election of kube-controller-manager and kube-scheduler")
	f.BoolVar(&detach, "detach", false, "return when the lab is ready, and leave it running")
	f.BoolVarP(&verbose, "verbose", "v", false, "log what goes on behind the machines")
	for _, other := range []string{"controllers", "workers", "prefix"} {
		c.MarkFlagsMutuallyExclusive("machines", other)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Dir = *dir
		if err := played(o.Versions); err != nil {
			return err
		}
		if pid, ok := running(*dir); ok {
			return fmt.Errorf("a lab already runs in %s (process %d): kiban-lab down --dir %s ends it", *dir, pid, *dir)
		}
		if err := describe(f.Changed, &o, machines); err != nil {
			return err
		}
		if detach {
			return detached(c.OutOrStdout(), *dir)
		}
		return run(c, o, verbose)
	}
	return c
}

// describe says what machines there are to be: those of a file, or with --keep those of the folder, where nothing else is said.
func describe(given func(flag string) bool, o *machine.Options, file string) error {
	if file != "" {
		list, err := machine.ReadSpecs(file)
		if err != nil {
			return err
		}
		o.Machines = list
	}
	if !o.Keep {
		return nil
	}
	was, err := machine.ReadInfo(o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is kept, or what a former version of the lab left
	}
	if err != nil {
		return err
	}
	if o.Net == machine.NetAuto || !given("net") {
		o.Net = was.Net
	}
	if file == "" && !given("controllers") && !given("workers") && !given("prefix") {
		o.Machines = was.Machines
	}
	return nil
}

// played returns an error if the lab can't pose as one of the releases.
func played(releases []string) error {
	for _, release := range releases {
		if err := applet.Plays(release); err != nil {
			return err
		}
	}
	return nil
}

// run is the lab's process.
func run(c *cobra.Command, o machine.Options, verbose bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Exe = []string{self, "applet"}
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	o.Log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE) // the terminal of a detached lab may close
	lab, err := machine.New(o)
	if err != nil {
		return err
	}
	start := time.Now()
	defer func() { // last of all: until then `down` waits
		_ = os.Remove(pidFile(o.Dir))
		if errors.Is(context.Cause(c.Context()), errLeash) {
			_ = os.RemoveAll(o.Dir) // nobody is there to do it
		}
	}()
	if err := lab.Up(c.Context()); err != nil {
		return err
	}
	defer lab.Down()
	control, err := serveControl(lab)
	if err != nil {
		return err
	}
	defer control.close()
	if err := os.WriteFile(pidFile(o.Dir), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		return err
	}
	controllers := 0
	for _, m := range lab.Info().Machines {
		if m.Role == machine.RoleController {
			controllers++
		}
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %d controllers and %d workers after %s\n", ready, controllers, len(lab.Machines())-controllers,
		time.Since(start).Round(time.Millisecond))
	if len(lab.Machines()) > 0 {
		fmt.Fprintf(c.OutOrStdout(), "ssh -p %d -i %s -o UserKnownHostsFile=%s root@%s\n", machine.Port, lab.KeyFile(), lab.KnownHostsFile(),
			lab.Machines()[0].Address)
	}
	select {
	case <-c.Context().Done():
	case <-control.ended:
	}
	return nil
}

// detached runs this very command without --detach, in a session of its own, and waits until it is ready.
func detached(out io.Writer, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var args []string
	for _, a := range os.Args[1:] {
		if a != "--detach" && a != "--detach=true" {
			args = append(args, a)
		}
	}
	log, err := os.OpenFile(filepath.Join(dir, "lab.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = w, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.Close()
	said := bufio.NewReader(r)
	line, err := said.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, ready) {
		_ = cmd.Wait() // it has said why
		b, _ := os.ReadFile(log.Name())
		return errors.New(notUp(string(b)))
	}
	fmt.Fprint(out, line)
	if hint, err := said.ReadString('\n'); err == nil {
		fmt.Fprint(out, hint)
	}
	fmt.Fprintf(out, "process %d; kiban-lab down --dir %s ends it\n", cmd.Process.Pid, dir)
	return cmd.Process.Release()
}

// notUp says why a lab did not come up, by its log, and what helps where another one has its addresses.
func notUp(log string) string {
	why := strings.TrimSpace("the lab did not come up: " + strings.TrimPrefix(strings.TrimSpace(log), "kiban-lab: "))
	if strings.Contains(why, "address already in use") {
		why += "\nMost likely another lab has these addresses: end it with `kiban-lab down --dir DIR`, " +
			"with the folder that it was started with, or give this one others: --net auto"
	}
	return why
}

func pidFile(dir string) string { return filepath.Join(dir, "kiban-lab.pid") }

// running is the process of the lab in a folder.
func running(dir string) (pid int, ok bool) {
	b, err := os.ReadFile(pidFile(dir))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || syscall.Kill(pid, 0) != nil {
		return 0, false
	}
	// After a reboot the number may be another program's.
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return pid, err == nil && strings.Contains(string(cmdline), "\x00up\x00")
}

func downCommand(dir *string) *cobra.Command {
	return &cobra.Command{Use: "down", Short: "Stop a lab; its folder stays", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			pid, ok := running(*dir)
			if !ok {
				return fmt.Errorf("no lab runs in %s", *dir)
			}
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return err
			}
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				if _, still := running(*dir); !still {
					return nil
				}
				if time.Now().After(deadline) {
					break
				}
			}
			fmt.Fprintln(c.ErrOrStderr(), "kiban-lab: it does not stop by itself; killing it")
			return syscall.Kill(pid, syscall.SIGKILL)
		}}
}
