package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// realPath moves the paths that an argument names, which are the machine's, below the machine's root.
func (c *Controller) realPath(name, value string) string {
	ofFile := strings.HasSuffix(name, "-file") || strings.HasSuffix(name, "-config") || strings.HasSuffix(name, "-path") ||
		strings.HasSuffix(name, "-dir")
	if !ofFile || !filepath.IsAbs(value) || c.Root == "" || strings.HasPrefix(value, c.Root) {
		return value
	}
	real := filepath.Join(c.Root, value)
	if c.Readable != nil && !strings.HasSuffix(name, "-path") && !strings.HasSuffix(name, "-dir") {
		if err := c.Readable(value); err != nil {
			c.logger().Warn("the API server may not read a file", "flag", name, "error", err)
			return real + " (permission denied)" // which is not there, so that the API server exits as it would
		}
	}
	return real
}

// admissionConfig gives the real path of an admission configuration, or of a copy of it in which the files that it names have real paths
// too. A file that cannot be read or understood stays as it is: the API server says what is wrong with it.
func (c *Controller) admissionConfig(file string) string {
	real := c.realPath("admission-control-config-file", file)
	content, err := os.ReadFile(real)
	if err != nil {
		return real
	}
	var doc map[string]any
	if yaml.Unmarshal(content, &doc) != nil {
		return real
	}
	plugins, _ := doc["plugins"].([]any)
	moved := false
	for _, p := range plugins {
		plugin, _ := p.(map[string]any)
		path, _ := plugin["path"].(string)
		if path == "" {
			continue
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		plugin["path"], moved = c.realPath("path-file", path), true
	}
	if !moved {
		return real
	}
	content, err = yaml.Marshal(doc)
	if err != nil {
		return real
	}
	copied := filepath.Join(c.DataDir, "run", "admission.yaml")
	if err := write(copied, content); err != nil {
		c.logger().Warn("the admission configuration stays as it is", "error", fmt.Errorf("write %s: %w", copied, err))
		return real
	}
	return copied
}
