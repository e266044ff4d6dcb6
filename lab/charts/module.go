package charts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Where the real things come from. Neither module is compiled: only files in them are read.
const (
	metalLBModule = "go.universe.tf/metallb@v0.16.2"
	argoCDModule  = "github.com/argoproj/argo-cd/v3@v3.5.7"
)

// MetalLBChart is the folder of MetalLB's real chart, which comes with its Go module: from the module cache, or downloaded.
func MetalLBChart(ctx context.Context) (dir string, err error) {
	dir, err = module(ctx, metalLBModule)
	return filepath.Join(dir, "charts", "metallb"), err
}

// WriteArgoCD copies Argo CD's real manifests, which come with its Go module, into dir: install.yaml, and ha/install.yaml.
func WriteArgoCD(ctx context.Context, dir string) error {
	from, err := module(ctx, argoCDModule)
	if err != nil {
		return err
	}
	for _, name := range []string{"install.yaml", "ha/install.yaml"} {
		content, err := os.ReadFile(filepath.Join(from, "manifests", name))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := replace(to, content); err != nil {
			return err
		}
	}
	return nil
}

// module is the folder of a Go module.
func module(ctx context.Context, name string) (dir string, err error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", name)
	cmd.Dir = os.TempDir() // outside of any module, whose go.mod would have a say
	out, err := cmd.Output()
	var said struct{ Dir, Error string }
	if jsonErr := json.NewDecoder(bytes.NewReader(out)).Decode(&said); jsonErr == nil && said.Error != "" {
		return "", fmt.Errorf("module %s: %s", name, said.Error)
	}
	if err != nil {
		return "", fmt.Errorf("module %s: %w", name, err)
	}
	if said.Dir == "" {
		return "", errors.New("module " + name + ": go names no folder")
	}
	return said.Dir, nil
}
