package session_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"kiban.dev/kiban/lifecycle/session"
)

// A program that brings a site to what its overlay declares, such as a newer version of k0s. It waits for whoever is at work on the site.
func Example() {
	if err := upgrade(context.Background(), ".", "tokyo-prod"); err != nil {
		log.Fatal(err)
	}
}

func upgrade(ctx context.Context, fleet, name string) error {
	site, findings := session.Load(ctx, fleet, name, session.LoadOptions{})
	if err := findings.Err(); err != nil {
		return err
	}
	s, err := session.Open(site, session.Options{Fleet: fleet, LockTimeout: 10 * time.Minute})
	if err != nil {
		return err
	}
	defer s.Close()
	result, err := s.Apply(ctx, session.ApplyOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("%s runs k0s %s: %s\n", name, site.Cluster.Version, result.Summary)
	return nil
}
