package controlplane

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

// snapshotName is the etcd snapshot's in a backup; the keys are below pki/.
const snapshotName = "etcd-snapshot.db"

// Backup writes a tar.gz of an etcd snapshot and the keys to w. The controller must be running, as k0s asks.
func (c *Controller) Backup(ctx context.Context, w io.Writer) error {
	files, err := c.shared()
	if err != nil {
		return fmt.Errorf("the controller is not initialized: %w", err)
	}
	db, err := c.database(ctx)
	if err != nil {
		return err
	}
	zip := gzip.NewWriter(w)
	pack := tar.NewWriter(zip)
	put := func(name string, data []byte) error {
		if err := pack.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Now()}); err != nil {
			return err
		}
		_, err := pack.Write(data)
		return err
	}
	errs := []error{put(snapshotName, db)}
	for _, name := range sharedFiles() {
		errs = append(errs, put("pki/"+name, files[name]))
	}
	return errors.Join(append(errs, pack.Close(), zip.Close())...)
}

// database is a copy of all that the cluster holds.
func (c *Controller) database(ctx context.Context) ([]byte, error) {
	if c.Light {
		return os.ReadFile(c.lightFile())
	}
	client, err := c.etcdClient()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	stream, err := client.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("etcd snapshot: %w", err)
	}
	defer stream.Close()
	db, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("etcd snapshot: %w", err)
	}
	return db, nil
}

// Restore unpacks a backup into DataDir, which must be absent or empty: a cluster of one etcd member with the same data.
func (c *Controller) Restore(r io.Reader) error {
	if entries, err := os.ReadDir(c.DataDir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", c.DataDir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files, db, err := unpack(r)
	if err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return err
	}
	if c.Light {
		if err := write(c.lightFile(), db); err != nil {
			return err
		}
		return c.adopt(files)
	}
	dump := filepath.Join(c.DataDir, snapshotName)
	if err := write(dump, db); err != nil {
		return err
	}
	defer os.Remove(dump)
	err = snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: dump, OutputDataDir: c.etcdDir(), Name: c.Name,
		PeerURLs: []string{etcdPeerURL(c.Addr)}, InitialCluster: c.Name + "=" + etcdPeerURL(c.Addr), InitialClusterToken: "etcd-cluster",
		// The simulated kubelets watch on across a restore: revisions that go back would make them miss what happens next.
		RevisionBump: 1_000_000, MarkCompacted: true,
	})
	if err != nil {
		return fmt.Errorf("restore etcd: %w", err)
	}
	return c.adopt(files)
}

func unpack(r io.Reader) (files map[string][]byte, db []byte, err error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	files = map[string][]byte{}
	for pack := tar.NewReader(zip); ; {
		header, err := pack.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(pack)
		if err != nil {
			return nil, nil, err
		}
		name := strings.TrimPrefix(header.Name, "pki/")
		switch {
		case header.Name == snapshotName:
			db = data
		case slices.Contains(sharedFiles(), name):
			files[name] = data
		} // what else a backup holds, such as k0s.yaml, is the machine's
	}
	if db == nil {
		return nil, nil, errors.New("it holds no etcd snapshot")
	}
	return files, db, nil
}
