package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeRehearsesAnUpgrade: who has nothing but a cluster and the k0sctl.yaml that made it types the three commands of README.md
// beside it, and knows how the upgrade goes. No machine is touched.
func TestReadmeRehearsesAnUpgrade(t *testing.T) {
	b := start(t, "127.236.41", 1, 2)
	doc := b.k0sctlInit("--k0s", "--cluster-name", "plant", "--key-path", "../../.lab/ssh/id_ed25519",
		"root@127.236.41.11:2222", "root@127.236.41.101:2222", "root@127.236.41.102:2222")
	file := filepath.Join(b.dir, "own", "plant", "k0sctl.yaml")
	b.file(file, strings.Replace(doc, "  k0s:\n", "  k0s:\n    version: "+v135+"\n", 1))
	b.must(0, b.k0sctlOf(file))
	b.allRun(v135)
	b.must(0, b.lab("kubectl", "--dir", ".lab", "--", "apply", "-f", repositoryFile(t, "scripts/demo-workload.yaml")))
	b.must(0, b.lab("kubectl", "--dir", ".lab", "--", "rollout", "status", "deployment/web", "--timeout=60s"))

	readme, err := os.ReadFile(repositoryFile(t, "README.md"))
	must(t, err)
	blocks := walked(string(readme))
	if len(blocks) != 1 || strings.Count(blocks[0], "\n") != 3 {
		t.Fatalf("these are not three commands: %q", blocks)
	}
	bin := t.TempDir()
	for env, name := range map[string]string{"KIBAN_BIN": "kiban", "KIBAN_LAB_BIN": "kiban-lab"} {
		must(t, os.Symlink(binary(t, env, name), filepath.Join(bin, name)))
	}
	mark := b.mark()
	script := strings.Replace(blocks[0], "k0sctl.yaml ", "k0sctl.yaml --yes ", 1) // nobody is there to be asked
	shell := exec.Command("sh", "-eux", "-c", script)
	shell.Dir, shell.Env = filepath.Dir(file), append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir())
	out, err := shell.CombinedOutput()
	said := string(out)
	lost := strings.Contains(said, "Requests lost") // a busy machine may lose one
	if exit := shell.ProcessState.ExitCode(); exit != 0 && (exit != 3 || !lost) {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{"Site plant, k0s " + v135 + " -> " + v136, "Rehearsed: ", "worker-2 has its turn: ",
		"controller-1, worker-1, worker-2"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %q:\n%s", want, said)
		}
	}
	for _, bad := range []string{"The twin's plan is not the site's", "In the way"} {
		if strings.Contains(said, bad) {
			t.Errorf("it says %q:\n%s", bad, said)
		}
	}
	b.untouched(mark, "importing and rehearsing")
}
