package supply

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// writeArchive packs the contents. The same contents, in any order, make the same bytes.
func writeArchive(w io.Writer, index Index, contents []content) error {
	contents = slices.Clone(contents)
	slices.SortFunc(contents, func(a, b content) int { return cmp.Compare(a.Path, b.Path) })
	contents = slices.CompactFunc(contents, func(a, b content) bool { return a.File == b.File })
	index.Format, index.Files = format, nil
	for i, c := range contents {
		if !inside(c.Path) || i > 0 && contents[i-1].Path == c.Path {
			return fmt.Errorf("bundle %s: %w", c.Path, errPath)
		}
		index.Files = append(index.Files, c.File)
	}
	head, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	zip := gzip.NewWriter(w)
	archive := tar.NewWriter(zip)
	first := inMemory(indexName, append(head, '\n'))
	for _, c := range append([]content{first}, contents...) {
		if err := pack(archive, c); err != nil {
			return fmt.Errorf("bundle %s: %w", c.Path, err)
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}

// pack adds one file, without anything of this machine, and holds it against its digest on the way.
func pack(archive *tar.Writer, c content) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	defer r.Close()
	h := &tar.Header{Typeflag: tar.TypeReg, Name: c.Path, Mode: 0o644, Size: c.Size, ModTime: time.Unix(0, 0).UTC(), Format: tar.FormatPAX}
	if err := archive.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(archive, sum), r)
	if err != nil {
		return err
	}
	if n != c.Size || lifecycle.DigestOf(sum) != c.Digest {
		return errOther
	}
	return nil
}

// imageList prints the list of container images, one a line.
func imageList(images []string) []byte {
	var out bytes.Buffer
	for _, image := range slices.Compact(slices.Sorted(slices.Values(images))) {
		fmt.Fprintln(&out, image)
	}
	return out.Bytes()
}
