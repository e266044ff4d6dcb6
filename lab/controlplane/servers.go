package controlplane

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
)

// Upstream's leader election periods.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

func (c *Controller) apiServerArgs() map[string]string {
	args := map[string]string{
		"advertise-address": c.Addr,
		// Webhooks are dialled at their pods' addresses, through konnectivity, as k0s does it.
		"enable-aggregator-routing":   "true",
		"egress-selector-config-file": c.konnectivityConf(),
		"allow-privileged":            "true",
		// k0s's own default authorisers and admission.
		"authorization-mode":          "Node,RBAC",
		"enable-admission-plugins":    "NodeRestriction",
		"enable-bootstrap-token-auth": "true",
		"bind-address":                c.Addr,
		"secure-port":                 fmt.Sprint(c.Config.apiPort()),
		"client-ca-file":              c.pki("ca.crt"),
		"tls-cert-file":               c.pki("server.crt"),
		"tls-private-key-file":        c.pki("server.key"),
		"emulated-version":            minor(c.Version),
		// Endpoints may not be loopback addresses, and these are.
		"endpoint-reconciler-type":         "none",
		"etcd-servers":                     c.etcdClientURL(),
		"etcd-cafile":                      c.pki("etcd/ca.crt"),
		"etcd-certfile":                    c.pki("apiserver-etcd-client.crt"),
		"etcd-keyfile":                     c.pki("apiserver-etcd-client.key"),
		"profiling":                        "false",
		"service-account-issuer":           "https://kubernetes.default.svc",
		"service-account-key-file":         c.pki("sa.pub"),
		"service-account-signing-key-file": c.pki("sa.key"),
		"service-cluster-ip-range":         c.Config.serviceCIDR(),
	}
	for name, value := range c.Config.APIArgs {
		args[name] = c.realPath(name, value)
	}
	if file, ok := c.Config.APIArgs["admission-control-config-file"]; ok {
		args["admission-control-config-file"] = c.admissionConfig(file)
	}
	return args
}

func (c *Controller) controllerManagerArgs() map[string]string {
	args := c.electionArgs("ccm")
	maps.Copy(args, map[string]string{
		"cluster-signing-cert-file":        c.pki("ca.crt"),
		"cluster-signing-key-file":         c.pki("ca.key"),
		"root-ca-file":                     c.pki("ca.crt"),
		"service-account-private-key-file": c.pki("sa.key"),
		"use-service-account-credentials":  "true",
	})
	maps.Copy(args, c.Config.ControllerManagerArgs)
	return args
}

func (c *Controller) schedulerArgs() map[string]string {
	args := c.electionArgs("scheduler")
	maps.Copy(args, c.Config.SchedulerArgs)
	return args
}

// electionArgs are common to kube-controller-manager and kube-scheduler.
func (c *Controller) electionArgs(user string) map[string]string {
	scale := c.LeaseScale
	if scale == 0 {
		scale = 1
	}
	scaled := func(d time.Duration) string { return time.Duration(float64(d) * scale).String() }
	return map[string]string{
		"kubeconfig":                  c.pki(user + ".conf"),
		"authentication-kubeconfig":   c.pki(user + ".conf"),
		"authorization-kubeconfig":    c.pki(user + ".conf"),
		"bind-address":                c.Addr,
		"emulated-version":            minor(c.Version),
		"leader-elect":                "true",
		"leader-elect-lease-duration": scaled(leaseDuration),
		"leader-elect-renew-deadline": scaled(renewDeadline),
		"leader-elect-retry-period":   scaled(retryPeriod),
		// A thousand pods at the default rates take longer than anybody wants to watch.
		"kube-api-qps":   "500",
		"kube-api-burst": "1000",
	}
}

func (c *Controller) program(name string, stop syscall.Signal, args []string) *program {
	patience := c.StopPatience
	if patience == 0 {
		patience = 5 * time.Second
	}
	exe, other := c.ExeOf[name]
	if !other {
		exe = c.Exe
	}
	return &program{
		name: name, stop: stop, patience: patience, logs: c.LogDir, log: c.logger(),
		argv: slices.Concat(exe, []string{name}, args),
		env:  []string{"LAB_K0S_VERSION=" + c.Version, "HOME=" + c.DataDir, "KUBECONFIG="},
	}
}

// flags writes arguments in an order that does not change.
func flags(args map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		list = append(list, "--"+name+"="+args[name])
	}
	return list
}

// minor is the Kubernetes minor of a version: v1.36.3+k0s.2 is 1.36. The code is always one and the same; it emulates the others.
func minor(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

// ReadyZ asks this controller's kube-apiserver for /readyz. Nil means it answered ok.
func (c *Controller) ReadyZ(ctx context.Context) error {
	cfg, err := c.rest()
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	return readyz(ctx, client, cfg.Host)
}

func readyz(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/readyz: %s", url, answer.Status)
	}
	return nil
}
