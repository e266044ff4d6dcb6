package session

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// lonely is a runner whose controller's etcd has no quorum.
type lonely struct {
	*bench
	taken int
}

func (l *lonely) Run(ctx context.Context, _ lifecycle.Plan, run Run) error {
	behind := lifecycle.Warnf("c1", "etcd has no quorum, so the backup may be behind").Because("last written to at 03:12:40")
	_, err := run.KeepBackup(ctx, lifecycle.ToKeep{Behind: &behind}, func(io.Writer) error { l.taken++; return io.EOF }, func(string) {})
	return err
}

// A backup of an etcd without a quorum is taken for whoever asks for it, with a warning: it may be all that is left. Where nobody is there
// to judge it, by a schedule or on the way of an upgrade, it is refused.
func TestBackupThatMayBeBehind(t *testing.T) {
	for name, c := range map[string]struct {
		verb           func(*Session) error
		taken, refused bool
	}{
		"by hand":     {verb: func(s *Session) error { _, err := s.Backup(t.Context(), ""); return err }, taken: true},
		"by hand out": {verb: func(s *Session) error { _, err := s.Backup(t.Context(), t.TempDir()); return err }, taken: true},
		"scheduled":   {verb: func(s *Session) error { _, _, err := s.ScheduledBackup(t.Context()); return err }, refused: true},
		"of an upgrade": {refused: true, verb: func(s *Session) error {
			_, err := s.Apply(t.Context(), ApplyOptions{})
			return err
		}},
	} {
		l := &lonely{bench: &bench{plans: []lifecycle.Plan{planOf("f", "cluster/backup")}}}
		var warned lifecycle.Diagnostics
		s := l.open(t, Options{Hooks: Hooks{Warn: func(ds lifecycle.Diagnostics) { warned = append(warned, ds...) }}})
		s.parts.Runner = l
		s.site.Backup = lifecycle.Backups{To: []lifecycle.BackupTo{{Folder: t.TempDir()}}}
		err := c.verb(s)
		d, _ := errors.AsType[lifecycle.Diagnostic](err)
		if refused := d.Severity == lifecycle.SeverityBlocked; refused != c.refused || (l.taken > 0) != c.taken {
			t.Errorf("%s: refused %t, taken %d: %v", name, refused, l.taken, err)
		}
		if c.refused && (d.Summary != "no backup was taken: etcd has no quorum, so it might be behind" ||
			!strings.Contains(d.Detail, "03:12:40") || !strings.Contains(d.Hint, "kiban backup lab")) {
			t.Errorf("%s: %+v", name, d)
		}
		told := strings.Contains(warned.Error(), "the backup may be behind")
		if told != c.taken {
			t.Errorf("%s: warned %t of %v", name, told, warned)
		}
	}
}
