package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// generatedFleet writes n sites of 3 controllers and the given number of workers on the sample base.
func generatedFleet(t testing.TB, n, workers int) (fleet string, names []string) {
	t.Helper()
	fleet = sampleFleet(t, "")
	kustomization := readFile(t, filepath.Join(fleet, overlaysDir, "tokyo", "kustomization.yaml"))
	for i := range n {
		name := fmt.Sprintf("site-%03d", i)
		names = append(names, name)
		var hosts, known strings.Builder
		for h := range 3 + workers {
			host, role := fmt.Sprintf("w-%d", h-2), "worker"
			if h < 3 {
				host, role = fmt.Sprintf("cp-%d", h+1), "controller"
			}
			address := fmt.Sprintf("172.%d.%d.%d", 16+i%16, i/16, h+1)
			fmt.Fprintf(&hosts, "  - hostname: %s\n    role: %s\n    privateAddress: 192.168.%d.%d\n    ssh:\n      address: %s\n", host, role, i,
				h+1, address)
			fmt.Fprintf(&known, "%s ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3z1Y0e1Yf3mE0n8u3C9l0g1b7o0Qw1r2s3t4u5v6w7\n", address)
		}
		dir := filepath.Join(fleet, overlaysDir, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, content := range map[string]string{
			"kustomization.yaml": kustomization,
			"known_hosts":        known.String(),
			"cluster.yaml": "apiVersion: " + overlay.APIK0sctl + "\nkind: Cluster\nmetadata:\n  name: " + name + "\nspec:\n  hosts:\n" +
				hosts.String(),
			"site.yaml": "apiVersion: " + overlay.APIKiban + "\nkind: Site\nmetadata:\n  name: " + name + "\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return fleet, names
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// BenchmarkLoad200 loads and checks a fleet of 200 sites, 10 machines each; BenchmarkBuild200 only lets kustomize build them.
func BenchmarkLoad200(b *testing.B) {
	fleet, names := generatedFleet(b, 200, 7)
	b.ResetTimer()
	for b.Loop() {
		var sites []lifecycle.Site
		for _, name := range names {
			s, ds := Load(b.Context(), fleet, name, Options{})
			if len(ds) > 0 {
				b.Fatal(ds)
			}
			sites = append(sites, s)
		}
		if ds := CheckFleet(sites); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}

func BenchmarkBuild200(b *testing.B) {
	fleet, names := generatedFleet(b, 200, 7)
	var trees []*overlay.Tree
	for _, name := range names {
		trees = append(trees, overlay.Read(filepath.Join(fleet, overlaysDir, name)))
	}
	b.ResetTimer()
	for b.Loop() {
		for _, tree := range trees {
			if _, ds := tree.Build(b.Context()); ds.Err() != nil {
				b.Fatal(ds)
			}
		}
	}
}

// BenchmarkLoad1000 loads one site of 1,000 machines.
func BenchmarkLoad1000(b *testing.B) {
	fleet := sampleFleet(b, "")
	var hosts, known strings.Builder
	for h := range 1000 {
		fmt.Fprintf(&hosts, "  - hostname: many-%d\n    role: worker\n    privateAddress: 192.168.%d.%d\n    ssh:\n      address: 172.16.%d.%d\n",
			h, h/250, h%250, h/250, h%250)
		fmt.Fprintf(&known, "172.16.%d.%d ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3z1Y0e1Yf3mE0n8u3C9l0g1b7o0Qw1r2s3t4u5v6w7\n", h/250, h%250)
	}
	for file, more := range map[string]string{"cluster.yaml": hosts.String(), "known_hosts": known.String()} {
		path := filepath.Join(fleet, overlaysDir, "tokyo", file)
		if err := os.WriteFile(path, []byte(readFile(b, path)+more), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if _, ds := Load(b.Context(), fleet, "tokyo", Options{}); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}
