package site

import (
	"errors"
	"regexp"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// fileSpec is a file that hosts are to have.
type fileSpec struct {
	// On is which hosts get it: controllers (those that run the control plane), workers (those that run workloads, also controller+worker
	// and single), or all.
	On string `yaml:"on"`
	// Content is what the file holds. Give this, file or from.
	Content *string `yaml:"content"`
	// File is a file of the repository that holds it, relative to the overlay.
	File string `yaml:"file"`
	// From is where a secret content is found on the machine that runs kiban.
	From *sourceSpec `yaml:"from"`
	// Mode is octal, such as "0640". Default: as the host has it, and for a new file 0644, or 0600 when it is secret.
	Mode fileMode `yaml:"mode"`
	// Owner is a user's name. Default: as the host has it, and root for a new file.
	Owner string `yaml:"owner"`
	// Group is a group's name. Default: as the host has it, and root for a new file.
	Group string `yaml:"group"`
	// Restart says that k0s reads the file when it starts, so that a change of it needs a restart. Default: true below /etc/k0s and in
	// k0s's data folder, but for its images and manifests, which k0s picks up by itself.
	Restart *bool `yaml:"restart"`
	// Since is the first version of k0s that the file is for, such as v1.36. A host gets it when it is upgraded to that, while its k0s is
	// stopped, and the former file back where the upgrade is taken back. Default: any version; of a file for containerd, what its content
	// says (`version = 3`: from v1.36 on).
	Since release `yaml:"since"`
}

func (f fileSpec) reaches(h lifecycle.Host) bool {
	switch f.On {
	case "controllers":
		return h.Role.IsController()
	case "workers":
		return h.Role.RunsWorkloads()
	}
	return f.On == "all"
}

func (f fileSpec) restart(path, dataDir string) bool {
	if f.Restart != nil {
		return *f.Restart
	}
	return lifecycle.ReadAtStart(path, dataDir)
}

// fileMode is octal: "0640".
type fileMode string

var modeForm = regexp.MustCompile(`^0?[0-7]{3}$`)

// read refuses numbers: YAML takes 0640 for octal, and prints 416.
func (m *fileMode) read(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || !modeForm.MatchString(n.Value) {
		return errors.New(`a mode is written in octal and in quotes, like "0640"`)
	}
	*m = fileMode(n.Value)
	return nil
}
