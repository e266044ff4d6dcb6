package controlplane

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseConfig(t *testing.T) {
	got, err := ParseConfig([]byte(`
apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
spec:
  api:
    port: 7443
    externalAddress: api.example.com
    sans: [127.66.0.11]
    ca: {certificatesExpireAfter: 20m}
    extraArgs: {audit-log-path: /var/log/audit.log}
  controllerManager: {extraArgs: {node-monitor-grace-period: 20s}}
  scheduler: {extraArgs: {v: "2"}}
  storage: {type: etcd, etcd: {extraArgs: {quota-backend-bytes: "16777216"}}}
  network: {serviceCIDR: 10.200.0.0/16, podCIDR: 10.201.0.0/16}
`))
	want := Config{
		APIPort: 7443, ExternalAddress: "api.example.com", SANs: []string{"127.66.0.11"}, ServiceCIDR: "10.200.0.0/16",
		CertificateLife: 20 * time.Minute,
		APIArgs:         map[string]string{"audit-log-path": "/var/log/audit.log"}, SchedulerArgs: map[string]string{"v": "2"},
		ControllerManagerArgs: map[string]string{"node-monitor-grace-period": "20s"},
		EtcdArgs:              map[string]string{"quota-backend-bytes": "16777216"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if ip, err := got.serviceIP(); err != nil || ip != "10.200.0.1" {
		t.Error(ip, err)
	}
	if empty, err := ParseConfig(nil); err != nil || empty.apiPort() != 6443 || empty.joinPort() != 9443 ||
		empty.serviceCIDR() != "10.96.0.0/12" {
		t.Errorf("%+v, %v", empty, err)
	}
	if _, err := ParseConfig([]byte("spec: [")); err == nil {
		t.Error("broken YAML is accepted")
	}
}

func TestServerArgs(t *testing.T) {
	c := &Controller{Root: "/lab/c1", Addr: "127.66.0.11", Version: "v1.35.7+k0s.0", LeaseScale: 0.2, Config: Config{
		APIArgs: map[string]string{"audit-policy-file": "/etc/k0s/audit.yaml", "authorization-mode": "Node,RBAC,Webhook",
			"oidc-username-prefix": "/x"},
	}}
	args := c.apiServerArgs()
	for name, want := range map[string]string{
		"audit-policy-file": "/lab/c1/etc/k0s/audit.yaml", "authorization-mode": "Node,RBAC,Webhook", "oidc-username-prefix": "/x",
		"emulated-version": "1.35",
	} {
		if args[name] != want {
			t.Errorf("--%s=%s, want %s", name, args[name], want)
		}
	}
	if got := c.controllerManagerArgs()["leader-elect-lease-duration"]; got != "3s" {
		t.Error(got)
	}
	c.LeaseScale = 0
	if got := c.schedulerArgs()["leader-elect-lease-duration"]; got != "15s" {
		t.Error(got)
	}
	if got := strings.Join(flags(map[string]string{"b": "2", "a": "1"}), " "); got != "--a=1 --b=2" {
		t.Error(got)
	}
}
