package site

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var update = flag.Bool("update", false, "write goldens and generated files")

// The schemas of kustomize are global to a process, so what a fresh process does must be seen in one: the test binary runs itself.
const childMode = "KIBAN_SITE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch mode, arg, _ := strings.Cut(os.Getenv(childMode), ":"); mode {
	case "build": // a plain build, as the stock library does it; "cli" with the CLI's order
		options := krusty.MakeDefaultOptions()
		if cli, ok := strings.CutPrefix(arg, "cli:"); ok {
			options.Reorder, arg = krusty.ReorderOptionUnspecified, cli
		}
		built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), arg)
		if err != nil {
			childPrint(nil, err)
		}
		b, err := built.AsYaml()
		childPrint(b, err)
	}
	os.Exit(m.Run())
}

func childPrint(b []byte, err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Stdout.Write(b)
	os.Exit(0)
}

// fresh runs a mode of TestMain in a process of its own.
func fresh(t *testing.T, mode string) []byte {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", mode, err, stderr.String())
	}
	return out
}
