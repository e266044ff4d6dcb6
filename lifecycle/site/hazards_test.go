package site

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// The hazards are those of running k0sctl as it is (docs/hazards.md). Here are those that begin with what a document says: it is refused,
// or doubted, before any machine is asked.

// edited is the sample site after one edit of a file of its overlay.
func edited(t *testing.T, file, old, new string) (lifecycle.Site, lifecycle.Diagnostics) {
	t.Helper()
	fleet := sampleFleet(t, "")
	path := filepath.Join(fleet, "overlays", "tokyo", file)
	before := readFile(t, path)
	if !strings.Contains(before, old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	write(t, path, strings.Replace(before, old, new, 1))
	return Load(t.Context(), fleet, "tokyo", Options{})
}

// wantFinding asserts that there is just this finding, where it is, and what to do.
func wantFinding(t *testing.T, ds lifecycle.Diagnostics, severity lifecycle.Severity, file, summary string) {
	t.Helper()
	if len(ds) != 1 || ds[0].Severity != severity || !strings.Contains(ds[0].Subject, file+":") || !strings.Contains(ds[0].Summary, summary) ||
		ds[0].Hint == "" {
		t.Errorf("want %s in %s with %q, got\n%s", severity, file, summary, printFindings(ds))
	}
}

const w2 = "hostname: w-2\n"

// refusedHost asserts that this line in a host's declaration is an error.
func refusedHost(t *testing.T, line, summary string) {
	t.Helper()
	_, ds := edited(t, "cluster.yaml", w2, w2+"    "+line+"\n")
	wantFinding(t, ds, lifecycle.SeverityError, "cluster.yaml", summary)
}

func TestHazard_H7_TwoResetsAreRefused(t *testing.T) {
	var lines []string
	for _, host := range []string{"cp-1", "cp-2"} {
		lines = append(lines, "- hostname: "+host+"\n    reset: true\n    privateAddress: 10.1.0."+host[3:]+"\n")
	}
	_, ds := edited(t, "cluster.yaml",
		"- hostname: cp-1\n    privateAddress: 10.1.0.1\n    ssh:\n      address: 10.0.0.1\n  - hostname: cp-2\n    privateAddress: 10.1.0.2\n",
		lines[0]+"    ssh:\n      address: 10.0.0.1\n  "+lines[1])
	if !slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool {
		return d.Severity == lifecycle.SeverityError && strings.Contains(d.Summary, "2 controllers are to be reset at once")
	}) {
		t.Errorf("findings:\n%s", printFindings(ds))
	}
}

func TestHazard_H9_JumpInThePathIsRefused(t *testing.T) {
	_, ds := edited(t, "site.yaml", "  wave: 2\n", "  wave: 2\n  upgrade: {path: [v1.33.1+k0s.0, v1.35.7+k0s.0]}\n")
	wantFinding(t, ds, lifecycle.SeverityError, "site.yaml", "upgrade.path goes from v1.33.1+k0s.0 to v1.35.7+k0s.0")
}

func TestHazard_H10_NoSiteWithoutAVersion(t *testing.T) {
	_, ds := edited(t, "cluster.yaml", "spec:\n", "spec:\n  k0s: {version: null}\n")
	if !ds.Has(lifecycle.SeverityError) || !strings.Contains(ds.Error(), "the k0s version is not pinned") {
		t.Errorf("findings:\n%s", printFindings(ds))
	}
}

func TestHazard_H11_NoFilesFromURLs(t *testing.T) {
	refusedHost(t, "files: [{src: 'https://example.com/a', dstDir: /etc}]", "host w-2 fetches a file from https://example.com/a")
}

func TestHazard_H14_EveryBinaryHasAChecksum(t *testing.T) {
	refusedHost(t, "k0sDownloadURL: https://example.com/k0s", "host w-2 sets k0sDownloadURL")
	_, ds := edited(t, "site.yaml", "  wave: 2\n", "  wave: 2\n  binaries: {url: 'https://example.com/k0s-{version}-{arch}'}\n")
	wantFinding(t, ds, lifecycle.SeverityError, "site.yaml", "a mirror without checksums")
}

// H17: k0sctl keeps one manifest a file. Here every document of a file is one of its own.
func TestHazard_H17_EveryDocumentOfAFileIsKept(t *testing.T) {
	fleet := sampleFleet(t, "")
	overlay := filepath.Join(fleet, "overlays", "tokyo")
	write(t, filepath.Join(overlay, "extra.yaml"), `{apiVersion: v1, kind: Namespace, metadata: {name: one}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: one}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: two}}
`)
	kustomization := filepath.Join(overlay, "kustomization.yaml")
	write(t, kustomization, strings.Replace(readFile(t, kustomization), "resources:\n", "resources:\n- extra.yaml\n", 1))
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	got := map[string]bool{}
	for _, d := range s.Objects {
		got[d.Kind+" "+d.Namespace+"/"+d.Name] = len(d.YAML) > 0
	}
	for _, want := range []string{"Namespace /one", "ConfigMap one/settings", "ConfigMap two/settings"} {
		if !got[want] {
			t.Errorf("%s is lost: %v", want, got)
		}
	}
}

func TestHazard_H19_OwnBinariesAreRefused(t *testing.T) {
	refusedHost(t, "useExistingK0s: true", "host w-2 sets useExistingK0s")
}

func TestHazard_H20_HostnameIsTheNodesName(t *testing.T) {
	_, ds := edited(t, "cluster.yaml", w2, "hostname: W-2\n")
	wantFinding(t, ds, lifecycle.SeverityError, "cluster.yaml", "hostname W-2 has capitals")
}

func TestHazard_H22_WorkerDisruptionPercentIsRefused(t *testing.T) {
	for _, percent := range []string{"50", "100"} {
		_, ds := edited(t, "cluster.yaml", "spec:\n", "spec:\n  options: {concurrency: {workerDisruptionPercent: "+percent+"}}\n")
		wantFinding(t, ds, lifecycle.SeverityError, "cluster.yaml", "workerDisruptionPercent has no effect here")
	}
}

func TestHazard_H28_SecretsInTheEnvironmentAreDoubted(t *testing.T) {
	_, ds := edited(t, "cluster.yaml", w2, w2+"    environment: {DB_PASSWORD: x}\n")
	wantFinding(t, ds, lifecycle.SeverityWarning, "cluster.yaml", "DB_PASSWORD of host w-2 looks like a secret")
	if strings.Contains(ds.Error(), " x") {
		t.Errorf("the finding shows the value: %v", ds)
	}
}

// H31: a path of k0sctl's that is relative to nobody knows what.
func TestHazard_H31_BinaryPathIsRefused(t *testing.T) {
	refusedHost(t, "k0sBinaryPath: ./k0s", "host w-2 sets k0sBinaryPath")
}

func TestHazard_H33_NoTransportWithoutHostKeys(t *testing.T) {
	for _, other := range []string{"openSSH", "winRM"} {
		_, ds := edited(t, "cluster.yaml", "    ssh:\n      address: 10.0.0.5\n", "    "+other+":\n      address: 10.0.0.5\n")
		wantFinding(t, ds, lifecycle.SeverityError, "cluster.yaml", "host w-2 is reached by "+other)
	}
}

// H34: a wait without end is never reported.
func TestHazard_H34_EveryWaitHasAnEnd(t *testing.T) {
	for field, summary := range map[string]string{
		"ssh: {connectTimeout: 0s}":            "connectTimeout must be positive",
		"ssh: {keepAlive: 0s}":                 "keepAlive must be positive",
		"upgrade: {drain: {timeout: 0s}}":      "drain.timeout must be positive",
		"upgrade: {settle: {nodeTimeout: 0s}}": "settle.nodeTimeout must be positive",
	} {
		_, ds := edited(t, "site.yaml", "  wave: 2\n", "  wave: 2\n  "+field+"\n")
		wantFinding(t, ds, lifecycle.SeverityError, "site.yaml", summary)
	}
}

func TestHazard_H35_EvictionsPause(t *testing.T) {
	_, ds := edited(t, "site.yaml", "  wave: 2\n", "  wave: 2\n  upgrade: {drain: {evictionRetry: 0s}}\n")
	wantFinding(t, ds, lifecycle.SeverityError, "site.yaml", "evictionRetry must be positive")
}
