package controlplane

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// sharedFiles are the same on every controller of a cluster: a joining one is given them, and a backup holds them.
func sharedFiles() []string {
	return []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "etcd/ca.crt", "etcd/ca.key"}
}

func (c *Controller) pki(name string) string { return filepath.Join(c.DataDir, "pki", name) }

// initialized reports whether DataDir holds a cluster's authority already.
func (c *Controller) initialized() bool {
	_, err := os.Stat(c.pki("ca.key"))
	return err == nil
}

// found makes a new cluster: its two authorities and its service account keys.
func (c *Controller) found() error {
	files := map[string][]byte{}
	for prefix, name := range map[string]string{"": "kubernetes-ca", "etcd/": "etcd-ca"} {
		ca, err := newAuthority(name)
		if err != nil {
			return err
		}
		files[prefix+"ca.crt"], files[prefix+"ca.key"] = ca.cert, ca.key
	}
	var err error
	if files["sa.key"], files["sa.pub"], err = newSigningKeys(); err != nil {
		return err
	}
	return c.adopt(files)
}

// adopt writes the shared files; ca.key last, because it is what says that all of them are there.
func (c *Controller) adopt(files map[string][]byte) error {
	for _, name := range sharedFiles() {
		if len(files[name]) == 0 {
			return fmt.Errorf("the cluster's keys lack %s", name)
		}
	}
	for name, data := range files {
		if name == "ca.key" {
			continue
		}
		if err := write(c.pki(name), data); err != nil {
			return err
		}
	}
	return write(c.pki("ca.key"), files["ca.key"])
}

// shared reads what a joining controller or a backup is given.
func (c *Controller) shared() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range sharedFiles() {
		data, err := os.ReadFile(c.pki(name))
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

func (c *Controller) authority(prefix string) (*authority, error) {
	cert, err := os.ReadFile(c.pki(prefix + "ca.crt"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(c.pki(prefix + "ca.key"))
	if err != nil {
		return nil, err
	}
	return parseAuthority(pair{cert, key})
}

// certify issues this controller's own certificates and kubeconfigs, at each start anew, as k0s does (pkg/certificate,
// Manager.regenerateCert).
func (c *Controller) certify() error {
	ca, err := c.authority("")
	if err != nil {
		return err
	}
	etcd, err := c.authority("etcd/")
	if err != nil {
		return err
	}
	serviceIP, err := c.Config.serviceIP()
	if err != nil {
		return err
	}
	names := append([]string{c.Addr, c.Name, serviceIP, "127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local"}, c.Config.SANs...)
	if c.Config.ExternalAddress != "" {
		names = append(names, c.Config.ExternalAddress)
	}
	local := []string{c.Addr, c.Name, "127.0.0.1", "localhost"}
	for _, w := range []struct {
		path string
		ca   *authority
		who  subject
	}{
		{"server", ca, subject{name: "kubernetes", sans: names}},
		{"k0s-api", ca, subject{name: "k0s-api", sans: names}},
		{"konnectivity", ca, subject{name: "system:konnectivity-server", sans: local}},
		{"admin", ca, subject{name: "kubernetes-admin", groups: []string{"system:masters"}}},
		{"ccm", ca, subject{name: "system:kube-controller-manager"}},
		{"scheduler", ca, subject{name: "system:kube-scheduler"}},
		{"apiserver-etcd-client", etcd, subject{name: "apiserver-etcd-client"}},
		{"etcd/server", etcd, subject{name: "etcd-server", sans: local}},
		{"etcd/peer", etcd, subject{name: c.Name, sans: local}},
	} {
		if err := c.renewPair(w.path, w.ca, w.who); err != nil {
			return fmt.Errorf("certificate %s: %w", w.path, err)
		}
	}
	for _, name := range []string{"admin", "ccm", "scheduler"} {
		p, err := c.pair(name)
		if err != nil {
			return err
		}
		if err := write(c.pki(name+".conf"), kubeconfig(c.apiURL(), ca.cert, name, p)); err != nil {
			return err
		}
	}
	return nil
}

// pair reads a certificate and its key.
func (c *Controller) pair(name string) (pair, error) {
	cert, err := os.ReadFile(c.pki(name + ".crt"))
	if err != nil {
		return pair{}, err
	}
	key, err := os.ReadFile(c.pki(name + ".key"))
	return pair{cert, key}, err
}

// renewPair has a certificate and its key made anew.
func (c *Controller) renewPair(name string, ca *authority, who subject) error {
	p, err := ca.issue(who, c.Config.certificateLife())
	if err != nil {
		return err
	}
	if err := write(c.pki(name+".key"), p.key); err != nil {
		return err
	}
	return write(c.pki(name+".crt"), p.cert)
}

// serviceIP is the address of the Service kubernetes.default: the first of the service network.
func (cfg Config) serviceIP() (string, error) {
	prefix, err := netip.ParsePrefix(cfg.serviceCIDR())
	if err != nil {
		return "", fmt.Errorf("serviceCIDR: %w", err)
	}
	return prefix.Masked().Addr().Next().String(), nil
}

// dnsIP is the address of the Service kube-dns: the tenth of the service network.
func (cfg Config) dnsIP() (string, error) {
	prefix, err := netip.ParsePrefix(cfg.serviceCIDR())
	if err != nil {
		return "", fmt.Errorf("serviceCIDR: %w", err)
	}
	a := prefix.Masked().Addr()
	for range 10 {
		a = a.Next()
	}
	return a.String(), nil
}
