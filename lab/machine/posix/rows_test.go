package posix_test

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// row is one command line of testdata/lines, where each line is one. A line that begins with a tab continues the one above, one with # is a
// remark, and one with @ says how those below are run:
//
//	@users self|both|root   as whoever runs the tests (both: as root and as nobody, if that is root; root: only as root)
//	@compare exact|shape|status   stdout to the letter; without numbers and widths; or only whether there is any
//
// A line that begins with "@refused " is one that the lab refuses out loud, and with "@known " one that it is known to get wrong; both
// marks must be true.
type row struct {
	file, line string
	number     int
	users, how string
	expect     string // "", "refused" or "known"
}

func rows(t *testing.T) []row {
	t.Helper()
	files, err := filepath.Glob("testdata/lines/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rows: %v", err)
	}
	var rs []row
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		users, how := "self", "exact"
		for i, l := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
			switch {
			case l == "", strings.HasPrefix(l, "#"):
			case strings.HasPrefix(l, "@users "):
				users = l[len("@users "):]
			case strings.HasPrefix(l, "@compare "):
				how = l[len("@compare "):]
			case strings.HasPrefix(l, "\t"):
				rs[len(rs)-1].line += "\n" + l[1:]
			default:
				r := row{file: filepath.Base(f), number: i + 1, users: users, how: how}
				for _, mark := range []string{"refused", "known"} {
					if rest, ok := strings.CutPrefix(l, "@"+mark+" "); ok {
						r.expect, l = mark, rest
					}
				}
				r.line = l
				rs = append(rs, r)
			}
		}
	}
	return rs
}

// self is who runs the tests.
func self(t *testing.T) disk.User {
	t.Helper()
	if os.Getuid() == 0 {
		return disk.Root()
	}
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return disk.User{Name: u.Username, UID: uid, GID: gid}
}

// who runs a row.
func (r row) who(t *testing.T) []disk.User {
	me := self(t)
	switch {
	case r.users == "both" && me.UID == 0:
		return []disk.User{me, nobody}
	case r.users == "root" && me.UID != 0:
		return nil
	}
	return []disk.User{me}
}

// reference skips a test on machines whose programs are of another release: the rows are what those of Debian 12 do.
func reference(t *testing.T) {
	t.Helper()
	b, _ := os.ReadFile("/etc/os-release") // none is another release
	if bytes.Contains(b, []byte("ID=debian\n")) && bytes.Contains(b, []byte("VERSION_ID=\"12\"\n")) {
		return
	}
	if required() {
		t.Fatal("the rows are what Debian 12's programs do, and this is another system")
	}
	t.Skip("the rows are what Debian 12's programs do, and this is another system")
}

func TestLikeRealPrograms(t *testing.T) {
	reference(t)
	files := map[string][]row{}
	for _, r := range rows(t) {
		files[r.file] = append(files[r.file], r)
	}
	for f, rs := range files {
		t.Run(f, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			defer func() { t.Logf("%d lines in %s", len(rs), time.Since(began).Round(time.Millisecond)) }()
			for _, r := range rs {
				for _, u := range r.who(t) {
					compare(t, fmt.Sprintf("testdata/lines/%s:%d", r.file, r.number), r, u)
				}
			}
		})
	}
}
