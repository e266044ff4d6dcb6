package k0s

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// backup takes a backup of the control plane on a running controller and streams it here. It holds the cluster's CA keys: the file is
// readable by its owner only. A file with the backup's name is whole: it is read back before it gets that name.
func backup(ctx context.Context, t *task) error {
	from := t.on
	var f facts
	var err error
	if from != nil {
		f, err = t.look(ctx, from)
	} else {
		from, f, err = t.controller(ctx, "")
	}
	if err != nil {
		return err
	}
	dir := t.opts.BackupDir
	if dir == "" {
		return errors.New("no folder to keep backups in")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".backup-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	q := shellescape.Quote
	t.progress("backing up the control plane from " + from.host.Name)
	if _, err := from.pipe(ctx, fmt.Sprintf("%s backup --save-path - --data-dir %s", q(from.paths.binary), q(from.paths.data)), nil, tmp); err != nil {
		return err
	}
	if err := readBack(tmp); err != nil {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: from.host.Name, Summary: "the backup cannot be read back", Detail: err.Error(),
			Hint: "nothing was changed; find out what `k0s backup` says on the machine", Cause: err}
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	name := filepath.Join(dir, fmt.Sprintf("%s-%s-%s.tar.gz", t.site.Name, f.host.Running, time.Now().UTC().Format("20060102T150405Z")))
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	t.progress("backup is in " + name)
	return nil
}

// readBack makes sure that a backup is a whole archive with something in it.
func readBack(f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("it is not compressed as it should be: %w", err)
	}
	archive, n := tar.NewReader(z), 0
	for {
		switch _, err := archive.Next(); {
		case errors.Is(err, io.EOF) && n == 0:
			return errors.New("it is empty")
		case errors.Is(err, io.EOF):
			_, err = io.Copy(io.Discard, z) // to the checksum at its end
			return err
		case err != nil:
			return err
		}
		n++
	}
}
