package machine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// Info is lab.json in a lab's folder: what whoever uses the lab has to know of it. It is there once every machine answers.
type Info struct {
	// Net is the first three octets of the machines' addresses.
	Net string `json:"net"`
	// Port is where SSH answers, KeyFile what lets root and ops in, KnownHosts the machines' keys; Mirror is the folder of releases.
	Port       int    `json:"port"`
	KeyFile    string `json:"keyFile"`
	KnownHosts string `json:"knownHosts"`
	Mirror     string `json:"mirror"`
	// Machines are the controllers, then the workers.
	Machines []Spec `json:"machines"`
}

func infoFile(dir string) string { return filepath.Join(dir, "lab.json") }

// ReadInfo reads the lab.json of a folder.
func ReadInfo(dir string) (Info, error) {
	var i Info
	b, err := os.ReadFile(infoFile(dir))
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(b, &i)
}

// Info is what lab.json says.
func (l *Lab) Info() Info {
	i := Info{Net: l.opts.Net, Port: Port, KeyFile: l.KeyFile(), KnownHosts: l.KnownHostsFile(), Mirror: l.MirrorDir(), Machines: []Spec{}}
	for _, m := range l.machines {
		i.Machines = append(i.Machines, m.spec)
	}
	return i
}

// writeInfo writes lab.json, whole or not at all.
func (l *Lab) writeInfo() error {
	b, err := json.MarshalIndent(l.Info(), "", "  ")
	if err != nil {
		return err
	}
	file := infoFile(l.Dir())
	if err := os.WriteFile(file+".new", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// archs are the architectures of a lab's machines, amd64 always among them.
func archs(specs []Spec) []string {
	list := []string{"amd64"}
	for _, s := range specs {
		if s.Arch != "" && !slices.Contains(list, s.Arch) {
			list = append(list, s.Arch)
		}
	}
	return list
}
