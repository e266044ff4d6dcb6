package k0s

import (
	"context"
	"log/slog"

	"github.com/sirupsen/logrus"
)

// captureLogs sends what k0sctl logs to the session's logger. k0sctl has one logger for the whole process, so the latest session
// gets it; nothing depends on who does. Its dump of the whole document, secrets included, comes from a part that kiban never
// runs (H28).
func captureLogs(log *slog.Logger) {
	hooks := logrus.LevelHooks{}
	hooks.Add(logHook{log})
	logrus.StandardLogger().ReplaceHooks(hooks)
	logrus.SetLevel(logrus.DebugLevel)
}

type logHook struct{ log *slog.Logger }

func (logHook) Levels() []logrus.Level { return logrus.AllLevels }

func (h logHook) Fire(e *logrus.Entry) error {
	h.log.Log(context.Background(), slog.LevelDebug, e.Message, "from", "k0sctl", "level", e.Level.String())
	return nil
}
