package k0s

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// logWithin bounds the wait for a host's log: it goes into a diagnostic that is due without it, too.
const logWithin = 10 * time.Second

// LastLog gives the last lines of the log of a host's k0s service, oldest first, without secrets.
func (s *Session) LastLog(ctx context.Context, host string, lines int) ([]string, error) {
	m, err := s.machine(host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, logWithin, fmt.Errorf("it did not answer within %s", logWithin))
	defer cancel()
	if err := m.connect(ctx); err != nil {
		_, why := unreachable(err, m.ssh, s.site.SSH.KnownHosts)
		return nil, fmt.Errorf("%s", why)
	}
	unit := "k0sworker"
	if m.host.Role.IsController() {
		unit = "k0scontroller"
	}
	command := fmt.Sprintf("journalctl -u %s -n %d --no-pager -o short-iso", unit, lines)
	stdout, stderr := &answer{limit: 256 << 10}, &answer{limit: 4096}
	w, err := m.start(ctx, "if [ \"$(id -u)\" = 0 ]; then "+command+"; else sudo -n -- "+command+"; fi", nil, stdout, stderr)
	if err == nil {
		err = w.Wait()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("`%s`: %w %s", command, err, printable(string(stderr.bytes())))
	}
	return logLines(string(stdout.bytes()), lines), nil
}

// logLines are the last lines of a log, fit to be shown.
func logLines(text string, n int) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = printable(lifecycle.MaskLog(line)); line != "" && !strings.HasPrefix(line, "-- No entries") {
			out = append(out, line)
		}
	}
	return out[max(0, len(out)-n):]
}
