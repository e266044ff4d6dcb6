package helm

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// maxRecord bounds one of Helm's records, unpacked. A Secret has at most a MiB, and packs manifests ten to twenty times.
const maxRecord = 64 << 20

// RecordAPIs reads one of Helm's records of a release, and gives the objects of its manifest and hooks whose API version is one of those.
// The chart's files in it, which are most of it, are passed over.
func RecordAPIs(payload []byte, groupVersions []string) (lifecycle.ReleaseAPI, error) {
	var rel struct {
		Name, Namespace, Manifest string
		Version                   int
		Hooks                     []struct{ Manifest string }
		Chart                     struct {
			Metadata struct{ Name, Version string }
		}
	}
	content, err := unpack(payload)
	if err != nil {
		return lifecycle.ReleaseAPI{}, err
	}
	if err := json.Unmarshal(content, &rel); err != nil {
		return lifecycle.ReleaseAPI{}, fmt.Errorf("it is no record of a release: %w", err)
	}
	out := lifecycle.ReleaseAPI{Namespace: rel.Namespace, Name: rel.Name, Revision: rel.Version}
	if m := rel.Chart.Metadata; m.Name != "" {
		out.Chart = m.Name + "-" + m.Version
	}
	manifests := []string{rel.Manifest}
	for _, h := range rel.Hooks {
		manifests = append(manifests, h.Manifest)
	}
	for _, m := range manifests {
		refs, err := objectsOf([]byte(m), groupVersions)
		if err != nil {
			return lifecycle.ReleaseAPI{}, err
		}
		out.Objects = append(out.Objects, refs...)
	}
	return out, nil
}

// objectsOf are the objects of a manifest whose API version is one of those. Documents that do not name one are not decoded: a cluster has
// megabytes of them.
func objectsOf(manifest []byte, groupVersions []string) ([]lifecycle.ObjectRef, error) {
	if !mentions(manifest, groupVersions) {
		return nil, nil
	}
	var out []lifecycle.ObjectRef
	for _, doc := range documents(manifest) {
		if !mentions(doc, groupVersions) {
			continue
		}
		objects, err := decode(doc, "the release's manifest")
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if slices.Contains(groupVersions, o.APIVersion) {
				out = append(out, o.ObjectRef)
			}
		}
	}
	return out, nil
}

func mentions(text []byte, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(w)) })
}

// unpack is what Helm packs its records in: base64, around gzip where it begins as such.
func unpack(payload []byte) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(string(payload))
	if err != nil {
		return nil, errors.New("it is not in base64")
	}
	if len(raw) < 3 || !bytes.Equal(raw[:3], []byte{0x1f, 0x8b, 0x08}) {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(z, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("it can't be unpacked: %w", err)
	}
	if len(content) > maxRecord {
		return nil, fmt.Errorf("it has more than %d MiB", maxRecord>>20)
	}
	return content, nil
}
