package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkChangedSince asks which of 200 sites changed when a base did that all of them use, and reports how many times as long that
// takes as reading them once, measured in turns. Both sides must be read, so 2 is the bound.
func BenchmarkChangedSince(b *testing.B) {
	fleet := b.TempDir()
	if err := os.CopyFS(filepath.Join(fleet, "clusters"), os.DirFS(filepath.Join("..", "..", "clusters"))); err != nil {
		b.Fatal(err)
	}
	const like = "tokyo-staging"
	for i := range 200 {
		name := fmt.Sprintf("site-%03d", i)
		dir := filepath.Join(fleet, "overlays", name)
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "overlays", like))); err != nil {
			b.Fatal(err)
		}
		for _, file := range []string{"cluster.yaml", "site.yaml"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(string(text), like, name)), 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	commitFleet(b, fleet)
	base := filepath.Join(fleet, "clusters", "base", "site.yaml")
	text, err := os.ReadFile(base)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(base, []byte(strings.Replace(string(text), "10m", "11m", 1)), 0o644); err != nil {
		b.Fatal(err)
	}
	ask := func(args ...string) time.Duration {
		var out, errs bytes.Buffer
		began := time.Now()
		code := Run(context.Background(), Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" }},
			append(args, "--fleet", fleet, "-o", "names"))
		if n := strings.Count(out.String(), "site-"); code != 0 || n != 200 {
			b.Fatalf("%q: exit %d, %d sites\n%s", args, code, n, errs.String())
		}
		return time.Since(began)
	}
	ask("sites") // the first one reads kustomize's schemas in
	var once, changed time.Duration
	for b.Loop() {
		once += ask("sites")
		changed += ask("sites", "--changed-since", "HEAD")
	}
	b.ReportMetric(changed.Seconds()/once.Seconds(), "readings")
	b.ReportMetric(changed.Seconds()/float64(b.N), "s/changed-since")
}
