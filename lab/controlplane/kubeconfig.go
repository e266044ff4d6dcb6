package controlplane

import (
	"encoding/base64"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// kubeconfig is written out by hand so that its bytes, and hence the files on the machines, are the same every time.
func kubeconfig(server string, ca []byte, user string, p pair) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: %[3]s
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: %[3]s
  user:
    client-certificate-data: %s
    client-key-data: %s
`, b64(ca), server, user, b64(p.cert), b64(p.key))
}

// AdminKubeconfig returns pki/admin.conf.
func (c *Controller) AdminKubeconfig() ([]byte, error) { return os.ReadFile(c.pki("admin.conf")) }

func (c *Controller) apiURL() string { return fmt.Sprintf("https://%s:%d", c.Addr, c.Config.apiPort()) }

// rest is how this controller itself reaches its own API server.
func (c *Controller) rest() (*rest.Config, error) {
	doc, err := c.AdminKubeconfig()
	if err != nil {
		return nil, fmt.Errorf("the controller is not initialized: %w", err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		return nil, err
	}
	cfg.Timeout = 10 * time.Second
	return cfg, nil
}

// Client is a client of this controller's own API server, as its administrator.
func (c *Controller) Client() (kubernetes.Interface, error) { return c.client() }

func (c *Controller) client() (kubernetes.Interface, error) {
	cfg, err := c.rest()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}
