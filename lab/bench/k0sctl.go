package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/k0sproject/k0sctl/action"
	"github.com/k0sproject/k0sctl/phase"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/sirupsen/logrus"
	"gopkg.in/yaml.v2"
)

// k0sctlApply applies the document with k0sctl as it comes, the way its own command line does, and gives the exit code. The host
// keys are checked against the lab's file, as kiban checks them.
func k0sctlApply(doc string) int {
	if err := stockApply(doc); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func stockApply(doc string) error {
	logrus.SetLevel(logrus.InfoLevel)
	raw, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	cfg := &v1beta1.Cluster{}
	if err := yaml.UnmarshalStrict(raw, cfg); err != nil {
		return err
	}
	dir := filepath.Dir(doc)
	if err := os.Chdir(dir); err != nil {
		return err
	}
	lab, err := filepath.Abs("../../.lab")
	if err != nil {
		return err
	}
	if err := os.Setenv("SSH_KNOWN_HOSTS", filepath.Join(lab, "ssh", "known_hosts")); err != nil {
		return err
	}
	version := cfg.Spec.K0s.Version.String()
	for _, h := range cfg.Spec.Hosts {
		h.UploadBinary = true
		h.K0sBinaryPath = filepath.Join(lab, "mirror", version, "k0s-"+version+"-amd64")
	}
	if err := cfg.Resolve(dir); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	m, err := phase.NewManager(cfg)
	if err != nil {
		return err
	}
	m.Concurrency, m.ConcurrentUploads = 30, 5 // what its command line takes by default
	return action.NewApply(action.ApplyOptions{Manager: m}).Run(context.Background())
}
