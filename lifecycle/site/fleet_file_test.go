package site

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

const cosignPub = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECSzsz4r4DrSumgwvvTgnpVWXF2Tz
J0YZ+0HdG3yyxx+7zA26EsdpSDmoedjoU/NeFyqUbBJE07dBccWsNsAE9w==
-----END PUBLIC KEY-----
`

// TestFleetFile reads what the fleet's root allows: strictly, and into every site.
func TestFleetFile(t *testing.T) {
	good := "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n  execPlugins: [aws, /usr/local/bin/kubelogin]\n" +
		"  secretVariables: [REGISTRY_PASSWORD]\n" +
		"  k0s:\n    signingKey: |\n      " + strings.ReplaceAll(strings.TrimSpace(cosignPub), "\n", "\n      ") + "\n"
	fleet := sampleFleet(t, "")
	write(t, filepath.Join(fleet, lifecycle.FleetFile), good)
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 || !slices.Equal(s.Fleet.ExecPlugins, []string{"aws", "/usr/local/bin/kubelogin"}) ||
		!slices.Equal(s.Fleet.SecretVariables, []string{"REGISTRY_PASSWORD"}) || s.Fleet.K0sSigningKey != cosignPub {
		t.Errorf("%+v, %v", s.Fleet, ds)
	}
	if err := os.Remove(filepath.Join(fleet, lifecycle.FleetFile)); err != nil {
		t.Fatal(err)
	}
	if got, ds := ReadFleet(fleet); len(ds) > 0 || len(got.ExecPlugins)+len(got.SecretVariables) > 0 {
		t.Errorf("a fleet without the file allows %+v, %v", got, ds)
	}
}

// TestFleetFileIsStrict names file and line of what is wrong, and lets nothing of a wrong file count.
func TestFleetFileIsStrict(t *testing.T) {
	head := "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n"
	for name, c := range map[string]struct{ content, subject, says string }{
		"unknown field":          {head + "  execPlugin: [aws]\n", "fleet.yaml:4", `spec has no field "execPlugin"`},
		"unknown field of k0s":   {head + "  k0s: {key: x}\n", "fleet.yaml:4", `spec.k0s has no field "key"`},
		"another kind":           {"apiVersion: kiban.dev/v1alpha1\nkind: Site\nspec: {}\n", "fleet.yaml:2", `kind can't be "Site" here`},
		"another version":        {"apiVersion: kiban.dev/v1\nkind: Fleet\n", "fleet.yaml:1", `apiVersion can't be "kiban.dev/v1"`},
		"not a list":             {head + "  execPlugins: aws\n", "fleet.yaml:4", "must be a list"},
		"a command line":         {head + "  execPlugins:\n  - aws\n  - sh -c id\n", "fleet.yaml:6", `"sh -c id" is no program`},
		"a relative path":        {head + "  execPlugins: [./aws]\n", "fleet.yaml:4", `"./aws" is no program`},
		"a pattern of variables": {head + "  secretVariables: ['APP_*']\n", "fleet.yaml:4", `"APP_*" is no environment variable`},
		"kiban's own token":      {head + "  secretVariables: [KIBAN_GITLAB_TOKEN]\n", "fleet.yaml:4", "KIBAN_GITLAB_TOKEN can't be a secret"},
		"the job's token":        {head + "  secretVariables: [CI_JOB_TOKEN]\n", "fleet.yaml:4", "CI_JOB_TOKEN can't be a secret"},
		"a key that is none":     {head + "  k0s:\n    signingKey: abc\n", "fleet.yaml:5", "the signing key can't be used"},
		"a key twice":            {head + "  execPlugins: [aws]\n  execPlugins: [gcloud]\n", "fleet.yaml:5", `key "execPlugins" is given twice`},
		"not YAML":               {"a: [", "fleet.yaml:1", "this is not YAML"},
		"nothing":                {"", "fleet.yaml", "this is not one document"},
		"two documents":          {head + "---\n" + head, "fleet.yaml", "this is not one document"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ds := parseFleet([]byte(c.content))
			if len(ds) == 0 || ds.Err() == nil || ds[0].Subject != c.subject || !strings.Contains(ds[0].Summary, c.says) || ds[0].Hint == "" {
				t.Errorf("found %+v, want %q at %s with a hint", ds, c.says, c.subject)
			}
			if len(got.ExecPlugins)+len(got.SecretVariables) > 0 {
				t.Errorf("a wrong file allows %+v", got)
			}
		})
	}
}

// TestFleetFileIsAPlainFile: a link in its place could name any file of the machine that runs kiban.
func TestFleetFileIsAPlainFile(t *testing.T) {
	fleet := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "x.yaml")
	write(t, elsewhere, "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec: {execPlugins: [sh]}\n")
	if err := os.Symlink(elsewhere, filepath.Join(fleet, lifecycle.FleetFile)); err != nil {
		t.Fatal(err)
	}
	if got, ds := ReadFleet(fleet); ds.Err() == nil || len(got.ExecPlugins) > 0 {
		t.Errorf("%+v, %v", got, ds)
	}
}

// TestFleetsDatesOfSupport: the fleet's own dates reach every site; a mistake is a finding with its line, and a link is none that is
// followed.
func TestFleetsDatesOfSupport(t *testing.T) {
	fleet := sampleFleet(t, "")
	file := filepath.Join(fleet, lifecycle.SupportFile)
	write(t, file, `{"minors": [{"minor": "1.38", "released": "2026-12-09", "ends": "2028-02-28"}]}`)
	if s, ds := Load(t.Context(), fleet, "tokyo", Options{}); len(ds) > 0 || len(s.Fleet.Support) != 1 {
		t.Errorf("%+v, %v", s.Fleet, ds)
	}
	write(t, file, "{\"minors\": [\n{\"minor\": \"1.38\", \"ends\": \"soon\"}]}")
	if _, ds := ReadFleet(fleet); len(ds) != 1 || ds[0].Subject != "support.json:2" || ds.Err() == nil {
		t.Errorf("%v", ds)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", file); err != nil {
		t.Fatal(err)
	}
	if _, ds := ReadFleet(fleet); ds.Err() == nil {
		t.Error("a link is followed")
	}
}
