package site

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// clusterDocument is what the rules here read of a k0sctl Cluster document. It is lenient on purpose: k0sctl's own strict reading
// is Options.Describe's.
type clusterDocument struct {
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Hosts []hostDocument `yaml:"hosts"`
		K0s   struct {
			Version        string    `yaml:"version"`
			VersionChannel string    `yaml:"versionChannel"`
			DynamicConfig  bool      `yaml:"dynamicConfig"`
			Config         k0sConfig `yaml:"config"`
		} `yaml:"k0s"`
		Options struct {
			Concurrency struct {
				WorkerDisruptionPercent *int `yaml:"workerDisruptionPercent"`
			} `yaml:"concurrency"`
		} `yaml:"options"`
	} `yaml:"spec"`
}

type hostDocument struct {
	Hostname       string            `yaml:"hostname"`
	Role           string            `yaml:"role"`
	Reset          bool              `yaml:"reset"`
	PrivateAddress string            `yaml:"privateAddress"`
	PrivateIface   string            `yaml:"privateInterface"`
	NoTaints       bool              `yaml:"noTaints"`
	Environment    map[string]string `yaml:"environment"`
	UseExistingK0s bool              `yaml:"useExistingK0s"`
	K0sBinaryPath  string            `yaml:"k0sBinaryPath"`
	K0sDownloadURL string            `yaml:"k0sDownloadURL"`
	K0sInstallPath string            `yaml:"k0sInstallPath"`
	DataDir        string            `yaml:"dataDir"`
	KubeletRootDir string            `yaml:"kubeletRootDir"`
	InstallFlags   []string          `yaml:"installFlags"`
	Files          []fileDocument    `yaml:"files"`
	SSH            *sshDocument      `yaml:"ssh"`
	OpenSSH        yaml.Node         `yaml:"openSSH"`
	WinRM          yaml.Node         `yaml:"winRM"`
	Localhost      yaml.Node         `yaml:"localhost"`
}

type sshDocument struct {
	Address string         `yaml:"address"`
	User    string         `yaml:"user"`
	Port    int            `yaml:"port"`
	Options map[string]any `yaml:"options"`
	Bastion *sshDocument   `yaml:"bastion"`
}

type fileDocument struct {
	Src    string `yaml:"src"`
	Data   string `yaml:"data"`
	Dst    string `yaml:"dst"`
	DstDir string `yaml:"dstDir"`
}

// k0sConfig is the part of k0s's own configuration that decides how machines and networks fit together.
type k0sConfig struct {
	Spec struct {
		API struct {
			Address         string            `yaml:"address"`
			OnlyBind        bool              `yaml:"onlyBindToAddress"`
			ExternalAddress string            `yaml:"externalAddress"`
			ExtraArgs       map[string]string `yaml:"extraArgs"`
		} `yaml:"api"`
		Storage struct {
			Type string `yaml:"type"`
			Etcd struct {
				PeerAddress string `yaml:"peerAddress"`
			} `yaml:"etcd"`
			Kine struct {
				DataSource string `yaml:"dataSource"`
			} `yaml:"kine"`
		} `yaml:"storage"`
		Network struct {
			PodCIDR     string `yaml:"podCIDR"`
			ServiceCIDR string `yaml:"serviceCIDR"`
			DualStack   struct {
				Enabled         bool   `yaml:"enabled"`
				IPv6PodCIDR     string `yaml:"IPv6podCIDR"`
				IPv6ServiceCIDR string `yaml:"IPv6serviceCIDR"`
			} `yaml:"dualStack"`
			NodeLocal struct {
				Enabled bool `yaml:"enabled"`
			} `yaml:"nodeLocalLoadBalancing"`
			ControlPlane struct {
				Enabled    bool `yaml:"enabled"`
				Keepalived struct {
					VRRP []struct {
						VirtualIPs []string `yaml:"virtualIPs"`
					} `yaml:"vrrpInstances"`
					Servers []struct {
						Address string `yaml:"ipAddress"`
					} `yaml:"virtualServers"`
				} `yaml:"keepalived"`
			} `yaml:"controlPlaneLoadBalancing"`
		} `yaml:"network"`
		Extensions struct {
			Helm struct {
				Charts []struct {
					Name      string `yaml:"name"`
					Namespace string `yaml:"namespace"`
				} `yaml:"charts"`
			} `yaml:"helm"`
		} `yaml:"extensions"`
	} `yaml:"spec"`
}

// readCluster reads what the rules need. Values of the wrong type are findings; the rest is read all the same.
func readCluster(n *yaml.Node) (clusterDocument, []finding) {
	var c clusterDocument
	err := n.Decode(&c)
	if err == nil {
		return c, nil
	}
	var found []finding
	for _, what := range decodeErrors(err) {
		line, what := overlay.YAMLErrorAt(what)
		path := pathAtLine(n, line)
		if len(path) > 3 && slices.Equal(path[:3], []string{"spec", "k0s", "config"}) {
			continue // checkK0sConfig says it
		}
		f := wrong(clusterPlace(path...), "a value of the wrong type", what, "Correct the value.")
		f.unread = true
		found = append(found, f)
	}
	return c, found
}

// decodeErrors takes the single complaints out of the YAML library's error.
func decodeErrors(err error) []string {
	if te, ok := err.(*yaml.TypeError); ok {
		return te.Errors
	}
	return []string{err.Error()}
}

// pathAtLine finds the deepest place whose key or item begins at or just before a line of a document.
func pathAtLine(n *yaml.Node, line int) []string {
	var best []string
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				below := append(path[:len(path):len(path)], n.Content[i].Value)
				if n.Content[i].Line <= line {
					best = below
					walk(n.Content[i+1], below)
				}
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				if item.Line > line {
					continue
				}
				if name := overlay.Text(overlay.Field(item, "hostname")); name != "" {
					walk(item, append(path[:len(path):len(path)], "[hostname="+name+"]"))
				}
			}
		}
	}
	walk(n, nil)
	return best
}

// marshal prints a document that was reordered.
func marshal(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, fmt.Errorf("print the sorted document: %w", err)
	}
	return b.Bytes(), nil
}

// outline is the Cluster as far as this package knows it by itself, for callers that bring no Describe: hosts, roles, addresses
// and the version, but neither install arguments nor configurations.
func (c clusterDocument) outline(ssh lifecycle.SSH) lifecycle.Cluster {
	out := lifecycle.Cluster{Name: c.Metadata.Name, DynamicConfig: c.Spec.K0s.DynamicConfig}
	if v, err := lifecycle.ParseVersion(c.Spec.K0s.Version); err == nil {
		out.Version = v
	}
	for _, h := range c.Spec.Hosts {
		out.Hosts = append(out.Hosts, lifecycle.Host{
			Name: strings.ToLower(h.Hostname), Role: lifecycle.Role(h.Role), Address: h.address(), PrivateAddress: h.PrivateAddress,
			Port: h.port(ssh), User: h.user(ssh), Reset: h.Reset,
		})
	}
	return out
}

func (h hostDocument) address() string {
	if h.SSH == nil {
		return ""
	}
	return h.SSH.Address
}

func (h hostDocument) port(d lifecycle.SSH) int {
	switch {
	case h.SSH != nil && h.SSH.Port != 0:
		return h.SSH.Port
	case d.Port != 0:
		return d.Port
	}
	return 22
}

func (h hostDocument) user(d lifecycle.SSH) string {
	switch {
	case h.SSH != nil && h.SSH.User != "":
		return h.SSH.User
	case d.User != "":
		return d.User
	}
	return "root"
}
