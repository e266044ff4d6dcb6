package supply

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

const lockfileHeader = `# Written by "kiban pin". The digests of what this site's versions stand for: commit it, and do not edit it.
`

// The form of the file; its fields are those of lifecycle.Pins.
type lockfileForm struct {
	Charts    []chartForm       `yaml:"charts,omitempty"`
	Manifests []manifestForm    `yaml:"manifests,omitempty"`
	K0s       map[string]string `yaml:"k0s,omitempty"`
}

type chartForm struct {
	Repo    string `yaml:"repo"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Digest  string `yaml:"digest"`
}

type manifestForm struct {
	URL    string `yaml:"url"`
	Digest string `yaml:"digest"`
}

// WritePins writes a lock file. The same pins give the same bytes, and the file is there whole or as it was.
func WritePins(file string, p lifecycle.Pins) error {
	b, err := formatPins(p)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(file, b, 0o644); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return nil
}

// formatPins is the content of a lock file.
func formatPins(p lifecycle.Pins) ([]byte, error) {
	p.Charts, p.Manifests = slices.Clone(p.Charts), slices.Clone(p.Manifests)
	sortPins(&p)
	f := lockfileForm{K0s: p.K0s}
	for _, c := range p.Charts {
		f.Charts = append(f.Charts, chartForm(c))
	}
	for _, m := range p.Manifests {
		f.Manifests = append(f.Manifests, manifestForm(m))
	}
	var b bytes.Buffer
	b.WriteString(lockfileHeader)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("print the lock file: %w", err)
	}
	return b.Bytes(), nil
}

func sortPins(p *lifecycle.Pins) {
	slices.SortFunc(p.Charts, func(a, b lifecycle.ChartPin) int {
		return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	slices.SortFunc(p.Manifests, func(a, b lifecycle.ManifestPin) int { return cmp.Compare(a.URL, b.URL) })
}
