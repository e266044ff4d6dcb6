package backup

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// readThrough makes sure that a backup is a whole archive, to its last checksum, and holds what a control plane is rebuilt from: the data
// and the keys.
func readThrough(r io.Reader) error {
	z, err := gzip.NewReader(r)
	switch {
	case errors.Is(err, errSealing):
		return err
	case err != nil:
		return fmt.Errorf("it is not compressed as it should be: %w", err)
	}
	data, keys := false, false
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("it breaks off or is damaged: %w", err)
		}
		data = data || h.Size > 0 && isData(h.Name)
		keys = keys || h.Size > 0 && isKey(h.Name)
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // to the checksum at its end
		return fmt.Errorf("it breaks off or is damaged: %w", err)
	}
	switch {
	case !data:
		return errors.New("there is no snapshot of the cluster's data in it")
	case !keys:
		return errors.New("the cluster's keys (pki/) are not in it")
	}
	return nil
}

// isData: what k0s calls etcd's snapshot, and kine's copy of its database.
func isData(name string) bool {
	base := path.Base(name)
	return base == "etcd-snapshot.db" || base == "kine-state-backup.db"
}

func isKey(name string) bool {
	name = path.Clean("/" + strings.TrimPrefix(name, "./"))
	return strings.HasSuffix(name, "/pki/ca.key")
}

// inspection reads a stream along while it is written elsewhere.
type inspection struct {
	*io.PipeWriter
	found chan error
}

func inspect() *inspection {
	r, w := io.Pipe()
	i := &inspection{PipeWriter: w, found: make(chan error, 1)}
	go func() {
		err := readThrough(r)
		_, _ = io.Copy(io.Discard, r) // whoever writes is not held up by what was found
		i.found <- err
	}()
	return i
}

// verdict ends the stream and gives what was found. broken says that whoever wrote the stream did not get to its end.
func (i *inspection) verdict(broken error) error {
	_ = i.CloseWithError(broken) // never fails
	return <-i.found
}
