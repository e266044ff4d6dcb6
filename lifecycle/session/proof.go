package session

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
)

// countLimit bounds how long a backup waits for the count of what the cluster has.
const countLimit = time.Minute

// counted has the cluster counted while a backup is taken, and keep what is known of it then. One that can't be counted is backed up all
// the same, and nobody can prove the backup afterwards.
func (s *Session) counted(store *backup.Store) {
	if s.parts.Backups == nil {
		return
	}
	store.Count = func(ctx context.Context) lifecycle.Contents {
		ctx, cancel := lifecycle.Within(ctx, countLimit, "not counted")
		defer cancel()
		c, err := s.parts.Backups.Contents(ctx)
		if err != nil {
			return lifecycle.Contents{Why: lifecycle.OneLine(err.Error())}
		}
		return c
	}
	store.Record = func(ctx context.Context, r lifecycle.BackupRecord) error {
		if !r.Contents.Known() {
			return nil // nobody who can't be counted can keep anything
		}
		ctx, cancel := lifecycle.Within(ctx, recordLimit, "no answer")
		defer cancel()
		return s.parts.Backups.RecordBackup(ctx, r)
	}
}

// proofs are what the cluster keeps, and what was known when the run began: a proof may lie beside a backup alone.
type proofs struct {
	world *world
	known *lifecycle.Proof
}

func (p proofs) Proven(ctx context.Context) (*lifecycle.Proof, error) {
	records, err := p.world.BackupRecords(ctx)
	if err != nil && p.known == nil {
		return nil, err
	}
	out := p.known
	for _, r := range records {
		out = out.Later(r.Proven)
	}
	return out, nil
}
