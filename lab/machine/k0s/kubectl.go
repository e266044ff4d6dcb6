package k0s

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/controlplane"
)

const createFlags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC

// kubectlCommand runs the real kubectl in a process of its own, with the paths of its arguments made those of the machine's disk.
func (s *session) kubectlCommand() *cobra.Command {
	return &cobra.Command{Use: "kubectl", Short: "kubectl controls the Kubernetes cluster manager", DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.kubectl(cmd.Context(), args)
		}}
}

func (s *session) kubectl(ctx context.Context, args []string) error {
	dataDir, config := defaultDataDir, s.call.Getenv("KUBECONFIG")
	var plain []string // what remains for kubectl
	argv := append(append([]string(nil), s.opts.Exe...), "kubectl")
	file := func(p string) (string, error) {
		if p == "-" || strings.Contains(p, "://") {
			return p, nil
		}
		if err := s.call.Files.Access(p, 4); err != nil {
			return "", pathError(err)
		}
		if !path.IsAbs(p) {
			p = path.Join(s.call.Dir, p)
		}
		return s.opts.Disk.Real(p), nil
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		name, v, has := strings.Cut(a, "=")
		switch name {
		case "--data-dir":
			if !has && i+1 < len(args) {
				i++
				v = args[i]
			}
			dataDir = v
			continue
		case "--kubeconfig":
			if !has && i+1 < len(args) {
				i++
				v = args[i]
			}
			config = v
			continue
		case "-f", "--filename":
			if !has && i+1 < len(args) {
				i++
				v = args[i]
			}
			p, err := file(v)
			if err != nil {
				return err
			}
			a = "--filename=" + p
		}
		argv, plain = append(argv, a), append(plain, a)
	}
	if config == "" {
		config = dataDir + "/pki/admin.conf"
	}
	real, err := file(config)
	if err != nil {
		return err
	}
	if s.quick(ctx, config, plain) {
		return nil
	}
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = []string{"HOME=" + s.opts.Disk.Real(s.call.User.Home), "KUBECONFIG=" + real, "LAB_K0S_VERSION=" + s.version, "PATH=/usr/bin:/bin",
		"GOMAXPROCS=2"}
	c.Stdout, c.Stderr = s.call.Out, s.call.Err
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.WaitDelay = time.Second
	if reads(args) {
		c.Stdin = s.call.In
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread that forked ends
	defer runtime.UnlockOSThread()
	var exit *exec.ExitError
	if err := c.Run(); errors.As(err, &exit) {
		if s.status = exit.ExitCode(); s.status < 0 {
			s.status = 137
		}
	} else if err != nil {
		return err
	}
	return nil
}

// reads reports whether kubectl will read its standard input; one that does not must not wait for it to end.
func reads(args []string) bool {
	for i, a := range args {
		if a == "-" && i > 0 || strings.HasSuffix(a, "=-") || a == "-i" {
			return true
		}
	}
	return false
}

func (s *session) listTokens(ctx context.Context, c *controlplane.Controller, role string) error {
	kc, err := c.AdminKubeconfig()
	if err != nil {
		return err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kc)
	if err != nil {
		return err
	}
	cs, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	list, err := cs.CoreV1().Secrets("kube-system").List(ctx,
		metav1.ListOptions{FieldSelector: "type=" + string(corev1.SecretTypeBootstrapToken)})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.call.Out, "%-10s %-12s %s\n", "ID", "ROLE", "EXPIRES AT")
	for _, t := range list.Items {
		r := "worker"
		if string(t.Data["usage-controller-join"]) == "true" {
			r = "controller"
		}
		if role == "" || role == r {
			fmt.Fprintf(s.call.Out, "%-10s %-12s %s\n", t.Data["token-id"], r, t.Data["expiration"])
		}
	}
	return nil
}
