package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// value is a scalar of a Site document that has a form of its own.
type value interface {
	// parse reads the scalar's text; its error says what the form is.
	parse(text string) error
}

// duration is a span of time: "5m", "1h30m".
type duration time.Duration

func (d *duration) parse(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return errors.New(`a duration is written like "90s", "5m" or "1h30m"`)
	}
	*d = duration(v)
	return nil
}

// share is a count, "4", or a part of the whole, "25%".
type share string

func (v *share) parse(s string) error {
	number, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || (percent && n > 100) {
		return errors.New(`a share is a count of at least 1, or "1%" to "100%"`)
	}
	*v = share(s)
	return nil
}

// version is an exact k0s version.
type version lifecycle.Version

func (v *version) parse(s string) error {
	p, err := lifecycle.ParseVersion(s)
	*v = version(p)
	return err
}

// release is a minor release of k0s, "v1.36", or an exact version.
type release lifecycle.Version

var minorForm = regexp.MustCompile(`^v(\d{1,4})\.(\d{1,4})$`)

func (r *release) parse(s string) error {
	if m := minorForm.FindStringSubmatch(s); m != nil {
		major, _ := strconv.Atoi(m[1]) // the form admits digits only
		minor, _ := strconv.Atoi(m[2])
		*r = release(lifecycle.Version{Major: major, Minor: minor})
		return nil
	}
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		return fmt.Errorf("%q is neither a minor release, such as v1.36, nor an exact version, such as v1.36.3+k0s.2", s)
	}
	*r = release(v)
	return nil
}

// weekday is "Mon", "monday", and so on.
type weekday time.Weekday

func (d *weekday) parse(s string) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(s, day.String()) || strings.EqualFold(s, day.String()[:3]) {
			*d = weekday(day)
			return nil
		}
	}
	return errors.New("a day is Mon, Tue, Wed, Thu, Fri, Sat or Sun")
}

// clock is minutes after midnight, written "22:30". "24:00" is the end of the day.
type clock int

func (c *clock) parse(s string) error {
	if s == "24:00" {
		*c = 24 * 60
		return nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return errors.New(`a time of day is written in quotes, like "22:30"`)
	}
	*c = clock(t.Hour()*60 + t.Minute())
	return nil
}

// absolute resolves a path against a folder. URLs stay as they are, "" stays "", and "~" is the home of whoever runs kiban.
func absolute(dir, path string) string {
	if path == "" || strings.Contains(path, "://") {
		return path
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
