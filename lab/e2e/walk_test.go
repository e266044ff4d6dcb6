package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFirstSitePage walks docs/first-site.md as a newcomer does: every command of its first section is pasted into a shell, in a folder of
// its own, and the cluster that comes of it is upgraded. Only the machines' addresses are others, so that other tests run beside it.
func TestFirstSitePage(t *testing.T) {
	t.Parallel()
	const net = "127.237.0"
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "first-site.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := walked(string(page))
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks are marked as walked", len(blocks))
	}
	dir, bin := t.TempDir(), t.TempDir()
	for env, name := range map[string]string{"KIBAN_BIN": "kiban", "KIBAN_LAB_BIN": "kiban-lab"} {
		if err := os.Symlink(binary(t, env, name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	path := "PATH=" + bin + ":" + os.Getenv("PATH")
	t.Cleanup(func() {
		down := exec.Command(filepath.Join(bin, "kiban-lab"), "down", "--dir", filepath.Join(dir, "fleet", ".lab"))
		_ = down.Run() // the page's own last block has done it, where all went well
	})
	script := strings.NewReplacer("127.88.0", net, "kiban-lab up ", "kiban-lab up --net "+net+" ").Replace(strings.Join(blocks, "\n"))
	shell := exec.Command("sh", "-eux", "-c", script)
	shell.Dir, shell.Env = dir, append(os.Environ(), path, "HOME="+dir)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"lab: valid", "lab is applied", "2 of 2 nodes Ready", "3 controllers and 2 workers to upgrade"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing says %q:\n%s", want, out)
		}
	}
	for _, file := range []string{".kube/lab", "fleet/run.html"} {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err != nil || len(b) == 0 {
			t.Errorf("%s holds nothing: %v", file, err)
		}
	}
}

// walked are the blocks of a page that stand behind the mark, without their indentation.
func walked(page string) []string {
	var out []string
	for _, part := range strings.Split(page, "<!-- walk -->\n")[1:] {
		var lines []string
		for line := range strings.Lines(part) {
			code, is := strings.CutPrefix(line, "    ")
			if !is && len(lines) > 0 {
				break // the block is over
			}
			if is {
				lines = append(lines, code)
			}
		}
		out = append(out, strings.Join(lines, ""))
	}
	return out
}
