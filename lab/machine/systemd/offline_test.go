package systemd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLikeRealSystemctl runs what systemctl can do without a systemd (--root=) on both sides: on the machine, and with the real one on a
// folder of the same content. It compares output, exit code and the files that are left; of standard error, whether there is any.
func TestLikeRealSystemctl(t *testing.T) {
	real := realSystemctl(t)
	files := map[string]string{
		"etc/systemd/system/a.service":                 unit("/bin/true"),
		"etc/systemd/system/b.service":                 unit("/bin/true"),
		"etc/systemd/system/static.service":            "[Service]\nExecStart=/bin/true\n",
		"usr/lib/systemd/system/packaged.service":      unit("/bin/true"),
		"usr/lib/systemd/system/hidden.service":        unit("/bin/true"),
		"etc/systemd/system/hidden.service":            unit("/bin/false"),
		"usr/lib/systemd/system/multi-user.target":     "[Unit]\nDescription=Multi-User System\n",
		"usr/lib/systemd/system/graphical.target":      "[Unit]\nDescription=Graphical\n",
		"etc/systemd/system/two.service":               strings.Replace(unit("/bin/true"), "multi-user", "graphical.target multi-user", 1),
		"etc/systemd/system/dropped.service":           "[Service]\nExecStart=/bin/true\n",
		"etc/systemd/system/dropped.service.d/10.conf": "[Install]\nWantedBy=multi-user.target\n",
	}
	for _, lines := range []string{
		"is-enabled a", "is-enabled a.service", "is-enabled absent", "is-enabled -q a", "is-enabled static", "is-enabled packaged",
		"is-enabled a static", "is-enabled static a",
		"is-enabled a b", "is-enabled -q absent",
		"enable a; is-enabled a", "enable a; enable a", "enable a b; is-enabled a b", "enable a.service; is-enabled a",
		"enable packaged; is-enabled packaged", "enable hidden; is-enabled hidden",
		"enable two; is-enabled two", "enable static; is-enabled static", "enable absent", "enable a absent; is-enabled a",
		"enable absent a; is-enabled a", "enable -q a",
		"enable a; disable a; is-enabled a", "enable a b; disable a; is-enabled a b", "enable two; disable two; is-enabled two",
		"disable a; is-enabled a", "disable static",
		"enable a; reenable a; is-enabled a", "reenable a; is-enabled a", "enable packaged; disable packaged",
		"mask absent; is-enabled absent", "mask packaged; is-enabled packaged", "mask packaged; enable packaged",
		"mask packaged; mask packaged; is-enabled packaged",
		"mask packaged; unmask packaged; is-enabled packaged", "unmask a; is-enabled a", "unmask absent", "mask a; is-enabled a",
		"enable packaged; mask packaged; is-enabled packaged",
		"enable packaged; mask packaged; unmask packaged; is-enabled packaged",
		"nosuch a", "enable", "is-enabled", "--nosuch enable a", "enable --nosuch a",
	} {
		t.Run(lines, func(t *testing.T) {
			b := newBox(t)
			root := t.TempDir()
			for p, content := range files {
				b.write("/"+p, content)
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, p)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, p), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range strings.Split(lines, "; ") {
				cmd := exec.Command(real, append([]string{"--root=" + root}, strings.Fields(line)...)...)
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0"}
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				var exit *exec.ExitError
				if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				want := said{out.String(), remarks(errs.String()), cmd.ProcessState.ExitCode()}
				got := b.run("root", "systemctl "+line)
				if want.out != got.out || want.status != got.status || (want.err == "") != (got.err == "") {
					t.Errorf("systemctl %s\n  really     %+v\n  in the lab %+v", line, want, got)
				}
			}
			if a, b := links(t, root, root), links(t, b.files.Disk().Real("/"), b.files.Disk().Real("/")); !slices.Equal(a, b) {
				t.Errorf("links: really     %v\n       in the lab %v", a, b)
			}
		})
	}
}

// realSystemctl is the program of systemd 252, which the machines claim to run.
func realSystemctl(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("systemctl")
	var version []byte
	if err == nil {
		version, err = exec.Command(real, "--version").Output()
	}
	if err == nil && bytes.HasPrefix(version, []byte("systemd 252 ")) {
		return real
	}
	const why = "this machine has no systemctl of systemd 252 to compare with"
	if os.Getenv("ORACLE_REQUIRED") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// remarks is what systemctl says on standard error, without what it says only because a folder is no whole machine.
func remarks(s string) string {
	var kept []string
	for l := range strings.Lines(s) {
		if !strings.Contains(l, "is added as a dependency to a non-existent unit") {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "")
}

// links are the symbolic links and folders of units, with what the links lead to.
func links(t *testing.T, root, prefix string) []string {
	t.Helper()
	var ls []string
	err := filepath.WalkDir(filepath.Join(root, "etc/systemd/system"), func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, prefix)
		switch {
		case d.Type()&os.ModeSymlink != 0:
			to, err := os.Readlink(p)
			ls = append(ls, name+" -> "+strings.TrimPrefix(to, prefix))
			return err
		case d.IsDir():
			ls = append(ls, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ls
}
