package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// canary is what no file or variable of whoever runs kiban may put into a site.
const canary = "canary-of-the-runner"

// TestA11_FilesAreOfTheFleet: an overlay can name any path. What is outside of the repository, also by a link, is not read.
func TestA11_FilesAreOfTheFleet(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "id"), canary)
	write(t, filepath.Join(outside, "chart", "Chart.yaml"), "name: chart\nversion: 1.0.0\n")
	write(t, filepath.Join(outside, "objects.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "+canary+"}\n")
	t.Setenv("KIBAN_CANARY", canary)
	climb := strings.Repeat("../", 20)
	for name, c := range map[string]struct{ field, value string }{
		"an absolute path":         {"file", outside + "/id"},
		"a path that climbs":       {"file", climb + outside[1:] + "/id"},
		"a link":                   {"file", "link/id"},
		"the environment":          {"file", "/proc/self/environ"},
		"the environment, climbed": {"file", climb + "proc/self/environ"},
		"a device":                 {"file", "/dev/zero"},
		"a secret, absolute":       {"secret", outside + "/id"},
		"a secret, climbed":        {"secret", climb + outside[1:] + "/id"},
		"a secret by a link":       {"secret", "link/id"},
		"a secret at home":         {"secret", "~/.ssh/id_ed25519"},
		"a secret of the process":  {"secret", "/proc/self/environ"},
		"manifests":                {"manifest", outside + "/objects.yaml"},
		"manifests by a link":      {"manifest", "link/objects.yaml"},
		"a chart":                  {"chart", outside},
		"a chart by a link":        {"chart", "link"},
		"a chart with a link":      {"chart", "charts"},
		"a chart in a link":        {"chart", "linked"},
		"a chart's archive":        {"chart", "archive"},
		"a link behind a link":     {"chart", "behind"},
		"a host's file":            {"host", outside + "/id"},
		"a host's file, climbed":   {"host", climb + outside[1:] + "/id"},
		"a host's file by a link":  {"host", "link/id"},
		"a host's files":           {"host", outside + "/*"},
		"a host's files, climbed":  {"host", climb + outside[1:] + "/**/*"},
		"a folder with a link":     {"host", "folder"},
		"the lock file":            {"lock", ""},
		"git's token":              {"file", "../../.git/config"},
		"git's token by a link":    {"file", "git/config"},
		"git's token as a secret":  {"secret", "../../.git/config"},
		"git's token in manifests": {"manifest", "../../.git/config"},
		"git's token in a chart":   {"chart", "gits"},
		"git as a chart":           {"chart", "../../.git"},
		"git's token for a host":   {"host", "../../.git/config"},
		"all of git for a host":    {"host", "../../.g*/*"},
		"all of the fleet":         {"host", "../../**/*"},
		"kiban's records":          {"file", "../../.kiban/objects.yaml"},
		"records by a link":        {"file", "records/objects.yaml"},
		"records as manifests":     {"manifest", "../../.kiban/objects.yaml"},
		"records in a chart":       {"chart", "recorded"},
		"records for a host":       {"host", "../../.kiban/objects.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"site.yaml": siteNamed, "extra.yaml": extraNothing}
			switch c.field {
			case "file":
				files["site.yaml"] = siteNamed + "spec:\n  files:\n    /etc/motd: {on: all, file: '" + c.value + "'}\n"
			case "secret":
				files["site.yaml"] = siteNamed + "spec:\n  files:\n    /etc/motd: {on: all, from: {file: '" + c.value + "'}}\n"
			case "manifest":
				files["extra.yaml"] = "apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata: {name: web}\nspec: {namespace: web, manifests: " +
					"['" + c.value + "']}\n"
			case "chart":
				files["extra.yaml"] = "apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata: {name: web}\n" +
					"spec: {namespace: web, chart: {repo: '" + c.value + "', name: chart, version: 1.0.0}}\n"
			}
			fleet := extended(t, files)
			write(t, filepath.Join(fleet, ".git", "config"), "url: "+canary+"\n")
			write(t, filepath.Join(fleet, ".git", "chart", "Chart.yaml"), "name: chart\nversion: 1.0.0\n")
			write(t, filepath.Join(fleet, ".kiban", "objects.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "+canary+"}\n")
			over := filepath.Join(fleet, "overlays", "tokyo")
			if c.field == "host" {
				cluster := readFile(t, filepath.Join(over, "cluster.yaml"))
				write(t, filepath.Join(over, "cluster.yaml"), strings.Replace(cluster, "  - hostname: w-1\n",
					"  - hostname: w-1\n    files: [{src: '"+c.value+"', dstDir: /etc/x}]\n", 1))
			}
			for from, to := range map[string]string{"link": outside, "folder/inner": outside + "/id",
				"charts/chart/files/id": outside + "/id", "linked/chart": outside + "/chart", "archive/chart-1.0.0.tgz": outside + "/id",
				"behind/chart/templates": "../../folder",
				"git":                    "../../.git", "gits/chart/files": "../../../../.git/config", "records": "../../.kiban",
				"recorded/chart/x": "../../../../.kiban/objects.yaml"} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(over, from)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, filepath.Join(over, from)); err != nil {
					t.Fatal(err)
				}
			}
			if c.field == "lock" {
				if err := os.Symlink(outside+"/id", filepath.Join(over, lifecycle.PinsFile)); err != nil {
					t.Fatal(err)
				}
			}
			described := false
			s, ds := Load(t.Context(), fleet, "tokyo", Options{Describe: func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster,
				lifecycle.Diagnostics) {
				described = true
				return lifecycle.Cluster{}, nil
			}})
			if ds.Err() == nil {
				t.Error("nothing is found")
			}
			if c.field == "host" && described {
				t.Error("k0sctl reads the files")
			}
			if text := fmt.Sprintf("%+v %s", s, printFindings(ds)); strings.Contains(text, canary) {
				t.Errorf("it is read: %s", text)
			}
			for _, h := range s.Cluster.Hosts {
				for _, f := range h.Files {
					if strings.Contains(string(f.Content), canary) || f.Path == "/etc/motd" && f.Digest != "" {
						t.Errorf("%s has it", f.Path)
					}
				}
			}
		})
	}
}

const (
	siteNamed    = "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: tokyo}\n"
	extraNothing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nothing, namespace: default}\n"
)

// TestA11_OwnersNameMorePlaces: large files that no repository holds have a place that the fleet's owners name.
func TestA11_OwnersNameMorePlaces(t *testing.T) {
	outside, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(outside, "motd"), "hello\n")
	fleet := extended(t, map[string]string{"site.yaml": siteNamed + "spec:\n  files:\n    /etc/motd: {on: all, file: " +
		"'" + outside + "/motd'}\n" +
		"    /etc/key: {on: all, from: {file: '" + outside + "/motd'}}\n", "extra.yaml": extraNothing})
	write(t, filepath.Join(fleet, lifecycle.FleetFile), "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec: {localFiles: ['"+outside+"/']}\n")
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if ds.Err() != nil || len(s.Cluster.Hosts[0].Files) != 2 || string(s.Cluster.Hosts[0].Files[1].Content) != "hello\n" ||
		string(s.Cluster.Hosts[0].Files[0].Content) != "hello\n" {
		t.Errorf("%v %+v", printFindings(ds), s.Cluster.Hosts)
	}
}

// TestA11_VariablesOfSecrets: what kiban acts with is never a site's secret, and other variables only where the fleet's owners list them.
func TestA11_VariablesOfSecrets(t *testing.T) {
	for _, name := range []string{"KIBAN_GITLAB_TOKEN", "CI_JOB_TOKEN", "KIBAN_SECRET_X", "REGISTRY_PASSWORD", "AWS_SECRET_ACCESS_KEY",
		"KUBECONFIG_X"} {
		t.Setenv(name, canary)
	}
	file := filepath.Join(t.TempDir(), "id")
	write(t, file, canary)
	t.Setenv("HOME_FILE", file)
	for name, c := range map[string]struct {
		from, listed string
		taken        bool
		says         string
	}{
		"kiban's token":           {"env: KIBAN_GITLAB_TOKEN", "", false, "can't come from KIBAN_GITLAB_TOKEN"},
		"the job's token":         {"env: CI_JOB_TOKEN", "", false, "can't come from CI_JOB_TOKEN"},
		"a token as a file":       {"fileEnv: KIBAN_GITLAB_TOKEN", "", false, "can't come from KIBAN_GITLAB_TOKEN"},
		"what nobody listed":      {"env: AWS_SECRET_ACCESS_KEY", "", false, "secrets may not come from AWS_SECRET_ACCESS_KEY"},
		"a file nobody listed":    {"fileEnv: HOME_FILE", "", false, "secrets may not come from HOME_FILE"},
		"a kubeconfig":            {"env: KUBECONFIG_X", "", false, "secrets may not come from KUBECONFIG_X"},
		"its own prefix":          {"env: KIBAN_SECRET_X", "", true, ""},
		"a listed one":            {"env: REGISTRY_PASSWORD", "REGISTRY_PASSWORD", true, ""},
		"a listed file":           {"fileEnv: HOME_FILE", "HOME_FILE", true, ""},
		"another than the listed": {"env: AWS_SECRET_ACCESS_KEY", "REGISTRY_PASSWORD", false, "secrets may not come from AWS_SECRET_ACCESS_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := extended(t, map[string]string{"extra.yaml": extraNothing,
				"site.yaml": siteNamed + "spec:\n  files:\n    /etc/key: {on: all, from: {" + c.from + "}}\n"})
			if c.listed != "" {
				write(t, filepath.Join(fleet, lifecycle.FleetFile), "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec: {secretVariables: "+
					"["+c.listed+"]}\n")
			}
			s, ds := Load(t.Context(), fleet, "tokyo", Options{})
			taken := string(s.Cluster.Hosts[0].Files[0].Content) == canary
			if taken != c.taken || (ds.Err() == nil) != c.taken || !strings.Contains(printFindings(ds), c.says) {
				t.Errorf("taken: %t\n%s", taken, printFindings(ds))
			}
		})
	}
}
