package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kiban.dev/kiban/lifecycle"
)

// backupsName is the ConfigMap in kube-system in which a cluster keeps what is known of its last backups, one key a backup.
const backupsName = "kiban-backups"

// backupsKept is how many a cluster keeps, beside the last that was proven. A record has some kilobytes, an object a mebibyte.
const backupsKept = 10

// RecordBackup puts what is known of a backup into the cluster, in place of what it kept of it. A proof that is there already stays, if
// the record has none or an older one.
func (c *Client) RecordBackup(ctx context.Context, r lifecycle.BackupRecord) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, backupsName, func(data map[string]string) (map[string]string, error) { return withBackup(data, r) })
}

// backupKey is a backup's key: a ConfigMap's may have no "+".
func backupKey(name string) string { return strings.ReplaceAll(name, "+", "_") }

func withBackup(data map[string]string, r lifecycle.BackupRecord) (map[string]string, error) {
	if data == nil {
		data = map[string]string{}
	}
	all := readBackups(data)
	if i := slices.IndexFunc(all, func(k lifecycle.BackupRecord) bool { return k.Name == r.Name }); i >= 0 {
		was := all[i]
		if r.Proven = r.Proven.Later(was.Proven); !r.Contents.Known() {
			r.Contents = was.Contents
		}
		all = slices.Delete(all, i, i+1)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record backup %s: %w", r.Name, err)
	}
	all = append(all, r)
	slices.SortStableFunc(all, func(a, b lifecycle.BackupRecord) int { return cmp.Compare(b.Taken, a.Taken) })
	proven := newestProof(all)
	keep := map[string]string{backupKey(r.Name): string(b)}
	for i, k := range all {
		if text := data[backupKey(k.Name)]; k.Name != r.Name && (i < backupsKept || k.Proven != nil && k.Proven == proven) {
			keep[backupKey(k.Name)] = text
		}
	}
	return keep, nil
}

// Backups are what the cluster keeps of its backups, the newest first.
func (c *Client) Backups(ctx context.Context) ([]lifecycle.BackupRecord, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	data, err := c.configMapData(ctx, backupsName)
	return readBackups(data), err
}

// readBackups passes over what is no record, or of another major format.
func readBackups(data map[string]string) []lifecycle.BackupRecord {
	var out []lifecycle.BackupRecord
	for key, text := range data {
		var r lifecycle.BackupRecord
		if json.Unmarshal([]byte(text), &r) == nil && backupKey(r.Name) == key && lifecycle.SameMajor(r.Format, lifecycle.ProofFormat) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b lifecycle.BackupRecord) int {
		return cmp.Or(cmp.Compare(b.Taken, a.Taken), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func newestProof(all []lifecycle.BackupRecord) (p *lifecycle.Proof) {
	for _, r := range all {
		p = p.Later(r.Proven)
	}
	return p
}

// proven is the last proof that the cluster keeps. A credential of an external site may be for less than that, and has none.
func (c *Client) proven(ctx context.Context) (*lifecycle.Proof, error) {
	data, err := c.configMapData(ctx, backupsName)
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	return newestProof(readBackups(data)), err
}
