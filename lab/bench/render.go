package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

// benchRender validates a fleet of 200 sites, and builds the same overlays with the stock kustomize library, one call a site.
func benchRender(o options) ([]row, error) {
	dir, err := os.MkdirTemp("", "kiban-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := fleetOf200(dir); err != nil {
		return nil, err
	}
	g := &drive.Ground{Binaries: o.Binaries, Dir: dir}
	var ours, theirs []time.Duration
	for i := range 6 {
		start := time.Now()
		if err := buildAll(dir); err != nil {
			return nil, err
		}
		k := time.Since(start)
		u, err := g.Run(g.Kiban, "validate")
		if err != nil {
			return nil, err
		}
		if i > 0 {
			ours, theirs = append(ours, u.Wall), append(theirs, k)
		}
	}
	a, b := median(ours), median(theirs)
	return []row{{"render and validate 200 sites", seconds(a), seconds(b) + " (kustomize builds)", ratio(a, b), "under 5 s",
		verdict(a.Seconds() < 5)}}, nil
}

func buildAll(dir string) error {
	sites, err := filepath.Glob(filepath.Join(dir, "overlays", "*"))
	if err != nil {
		return err
	}
	for _, s := range sites {
		if _, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), s); err != nil {
			return err
		}
	}
	return nil
}

// fleetOf200 writes sites of three controllers and twelve workers each, all different.
func fleetOf200(dir string) error {
	key, err := hostKey()
	if err != nil {
		return err
	}
	for i := range 200 {
		one := filepath.Join(dir, fmt.Sprintf("one-%d", i))
		s := fleet.Site{Net: fmt.Sprintf("192.168.%d", i), Controllers: 3, Workers: 12, Version: "v1.35.7+k0s.0", User: "ops",
			MaxUnavailable: "25%", DrainTimeout: "10m", NodeTimeout: "5m",
			Name: fmt.Sprintf("site-%03d", i), KnownHosts: "known_hosts"}
		if err := s.Write(one); err != nil {
			return err
		}
		var known strings.Builder
		for _, m := range s.Machines() {
			fmt.Fprintf(&known, "[%s]:2222 %s", m.Address, key)
		}
		if err := os.WriteFile(filepath.Join(one, "overlays", s.Name, "known_hosts"), []byte(known.String()), 0o644); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, "overlays"), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(one, "overlays", s.Name), filepath.Join(dir, "overlays", s.Name)); err != nil {
			return err
		}
	}
	return nil
}

// hostKey is a host key as known_hosts has it. What counts is that there is one.
func hostKey() (string, error) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(k)), nil
}
