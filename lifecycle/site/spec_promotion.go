package site

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

type promotionSpec struct {
	// From are the sites that must have run a version of k0s or of a chart before this one takes it, each of them. They are of earlier waves.
	From []string `yaml:"from"`
	// Soak is how long they must have run it, healthy: "72h".
	Soak duration `yaml:"soak"`
	// Rehearsed has plans count as reviewed only when they were rehearsed.
	Rehearsed bool `yaml:"rehearsed"`
}

type rehearseSpec struct {
	// On is upgrade or disruption.
	On string `yaml:"on"`
}

func (p promotionSpec) promotion() lifecycle.Promotion {
	return lifecycle.Promotion{From: p.From, Soak: time.Duration(p.Soak), Rehearsed: p.Rehearsed}
}
