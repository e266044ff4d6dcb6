package site

import (
	"kiban.dev/kiban/lifecycle"
)

// fleetDocument is the form of the file at the fleet's root. What the fields mean stands in package lifecycle.
type fleetDocument struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	Spec       fleetSpec `yaml:"spec"`
}

type fleetSpec struct {
	ExecPlugins     []string     `yaml:"execPlugins"`
	SecretVariables []string     `yaml:"secretVariables"`
	HostFiles       []string     `yaml:"hostFiles"`
	LocalFiles      []string     `yaml:"localFiles"`
	K0s             fleetK0sSpec `yaml:"k0s"`
	SignedReviews   bool         `yaml:"signedReviews"`
}

// fleetK0sSpec is how k0s is trusted.
type fleetK0sSpec struct {
	// SigningKey is the public key, in PEM, that signatures of k0s binaries are checked against (cosign.pub of a k0s release).
	SigningKey string `yaml:"signingKey"`
}

func (d fleetDocument) fleet() lifecycle.Fleet {
	return lifecycle.Fleet{ExecPlugins: d.Spec.ExecPlugins, SecretVariables: d.Spec.SecretVariables, HostFiles: d.Spec.HostFiles,
		LocalFiles: d.Spec.LocalFiles, K0sSigningKey: d.Spec.K0s.SigningKey, SignedReviews: d.Spec.SignedReviews}
}
