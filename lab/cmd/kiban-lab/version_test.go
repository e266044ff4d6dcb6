package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lab/applet"
)

func said(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := command()
	c.SetArgs(args)
	c.SetOut(&out)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestVersionSaysWhatIsPlayed: what it names, the lab can pose as; the minor below and the one above it can't.
func TestVersionSaysWhatIsPlayed(t *testing.T) {
	var b build
	if err := json.Unmarshal([]byte(said(t, "version", "-o", "json")), &b); err != nil {
		t.Fatal(err)
	}
	if b.Version == "" || b.Go == "" || len(b.Minors) != 4 || b.Kubernetes != b.Minors[3] {
		t.Fatalf("%+v", b)
	}
	if !slices.Contains(b.Faults, "ssh-hang") || !slices.Contains(b.Faults, "disk-full") {
		t.Errorf("what can go wrong is not all there: %v", b.Faults)
	}
	for _, minor := range b.Minors {
		if err := applet.Plays("v" + minor + ".1+k0s.0"); err != nil {
			t.Error(err)
		}
		if !slices.ContainsFunc(b.Releases, func(r string) bool { return strings.HasPrefix(r, "v"+minor+".") }) {
			t.Errorf("no release of %s among %v", minor, b.Releases)
		}
	}
	text := said(t, "version")
	if !strings.HasPrefix(text, "kiban-lab "+b.Version) || !strings.Contains(text, b.Minors[0]+" to "+b.Kubernetes) {
		t.Error(text)
	}
}
