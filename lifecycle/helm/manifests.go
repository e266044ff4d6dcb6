package helm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"kiban.dev/kiban/lifecycle"
)

// manifests reads an addon that is no chart. Its digest is of all its files, in the order of their declaration.
func (s *Store) manifests(ctx context.Context, site lifecycle.Site, a lifecycle.Addon) (lifecycle.Rendering, error) {
	var out lifecycle.Rendering
	sum := sha256.New()
	for i, url := range a.Manifests {
		field := fmt.Sprintf("spec.manifests[%d]", i)
		content, d, err := s.Manifest(ctx, site.Dir, url, site.Pins)
		if err != nil {
			return lifecycle.Rendering{}, about(of(err, field), a)
		}
		fmt.Fprintln(sum, d)
		rest, line := content, 1
		for _, doc := range documents(content) {
			if i := bytes.Index(rest, doc); i >= 0 { // they stand in the order of the file
				line += bytes.Count(rest[:i], []byte("\n"))
				rest = rest[i:]
			}
			objects, err := decode(doc, source(site.Name, url, line))
			if err != nil {
				return lifecycle.Rendering{}, about(of(err, field), a)
			}
			out.Objects = append(out.Objects, objects...)
		}
	}
	if err := twice(out.Objects, a); err != nil {
		return lifecycle.Rendering{}, err
	}
	slices.SortStableFunc(out.Objects, func(x, y lifecycle.Object) int { return cmp.Compare(place(x.Kind), place(y.Kind)) })
	out.Images = images(out.Objects)
	out.Digest = lifecycle.DigestOf(sum)
	return out, nil
}

// of says which field a finding is about.
func of(err error, field string) error {
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); ok && d.Field == "" {
		d.Field = field
		return d
	}
	return err
}

// twice is the error of manifests that declare an object twice.
func twice(objects []lifecycle.Object, a lifecycle.Addon) error {
	seen := map[lifecycle.ObjectRef]string{}
	for _, o := range objects {
		ref := o.ObjectRef
		ref.APIVersion = ref.Group()
		if first, ok := seen[ref]; ok {
			return lifecycle.Errorf(a.Source, "the manifests of addon %s declare %s twice", a.Name, o.ObjectRef).
				Because("in " + first + " and in " + o.Source).
				Try("Leave one of them out").
				About("spec.manifests")
		}
		seen[ref] = o.Source
	}
	return nil
}

// place orders kinds: namespaces and definitions first, for everything else may need them, then as Helm installs; what Helm does not know
// comes last.
func place(kind string) int {
	switch kind {
	case "Namespace":
		return -2
	case "CustomResourceDefinition":
		return -1
	}
	if i := slices.Index(releaseutil.InstallOrder, kind); i >= 0 {
		return i
	}
	return len(releaseutil.InstallOrder)
}

// source is what plans call a document of a file of manifests: its line, where the file is the fleet's own.
func source(site, url string, line int) string {
	switch {
	case filepath.IsAbs(url):
		return fmt.Sprintf("%s:%d", url, line)
	case local(url):
		return fmt.Sprintf("%s:%d", path.Join("overlays", site, url), line)
	}
	return path.Base(url)
}
