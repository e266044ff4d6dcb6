// Package stock runs the k0sctl library unchanged on the lab, to compare kiban with.
package stock

import (
	"context"
	"os"
	"path/filepath"

	"github.com/k0sproject/k0sctl/action"
	"github.com/k0sproject/k0sctl/phase"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/sirupsen/logrus"
	"gopkg.in/yaml.v2"
)

// Apply applies the document at path with k0sctl as it comes, the way its own command line does. The host keys are checked against
// the lab's file, as kiban checks them. k0sctl's library is made for one run a process: so is this.
func Apply(ctx context.Context, path string) error {
	return apply(ctx, path, func(cfg *v1beta1.Cluster, lab string) {
		version := cfg.Spec.K0s.Version.String()
		for _, h := range cfg.Spec.Hosts {
			h.UploadBinary = true
			h.K0sBinaryPath = filepath.Join(lab, "mirror", version, "k0s-"+version+"-amd64")
		}
	})
}

// ApplyAsItIs is Apply with nothing added to the document: machines must have k0s, for there is no network to fetch it from.
func ApplyAsItIs(ctx context.Context, path string) error {
	return apply(ctx, path, func(*v1beta1.Cluster, string) {})
}

func apply(ctx context.Context, path string, add func(cfg *v1beta1.Cluster, lab string)) error {
	logrus.SetLevel(logrus.InfoLevel)
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	cfg := &v1beta1.Cluster{}
	if err := yaml.UnmarshalStrict(raw, cfg); err != nil {
		return err
	}
	dir := filepath.Dir(path)
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
	add(cfg, lab)
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
	return action.NewApply(action.ApplyOptions{Manager: m}).Run(ctx)
}
