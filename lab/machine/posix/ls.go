package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// listed is a file under the name that ls shows.
type listed struct {
	name string
	info disk.Info
	dir  string // that it lies in, "" for operands
}

// lister is one run of ls.
type lister struct {
	*Call
	o      options
	status int
	// titled: folders are shown under their names; begun: something has been shown.
	titled, begun bool
}

// ls writes one name a line, as it does when nobody looks at a terminal: files first, then what lies in folders.
func ls(_ context.Context, c *Call) int {
	o, err := c.parse("a", "A", "l", "1", "d", "n", "t", "r")
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	l := &lister{Call: c, o: o}
	paths := o.args
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files, folders []listed
	for _, p := range paths {
		fi, err := l.operand(p)
		if err != nil {
			fmt.Fprintf(c.Err, "ls: cannot access '%s': %s\n", p, reason(err))
			l.status = 2
			continue
		}
		if fi.IsDir() && !o.has("d") {
			folders = append(folders, listed{name: p, info: fi})
		} else {
			files = append(files, listed{name: p, info: fi})
		}
	}
	l.order(files)
	l.order(folders)
	l.show(files)
	l.titled = len(paths) > 1
	l.begun = len(files) > 0
	for _, f := range folders {
		l.folder(f.name)
	}
	return l.status
}

// operand follows a link that is named unless it is to be shown itself, and shows one that leads nowhere.
func (l *lister) operand(p string) (disk.Info, error) {
	fi, err := l.statOf(p, false)
	if err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		return fi, err
	}
	if l.o.has("d", "l", "n") {
		return fi, nil
	}
	to, err := l.Files.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return fi, nil
	}
	return to, err
}

func (l *lister) order(fs []listed) {
	slices.SortStableFunc(fs, func(a, b listed) int {
		n := 0
		if l.o.has("t") {
			n = b.info.ModTime().Compare(a.info.ModTime())
		}
		if n == 0 {
			n = strings.Compare(a.name, b.name)
		}
		if l.o.has("r") {
			n = -n
		}
		return n
	})
}

func (l *lister) folder(p string) {
	infos, err := l.Files.ReadDir(p)
	if err != nil {
		fmt.Fprintf(l.Err, "ls: cannot open directory '%s': %s\n", p, reason(err))
		l.status = max(l.status, 2)
		return
	}
	if l.titled {
		if l.begun {
			fmt.Fprintln(l.Out)
		}
		fmt.Fprintf(l.Out, "%s:\n", p)
	}
	l.begun = true
	var fs []listed
	add := func(name string) {
		if i, err := l.Files.Stat(strings.TrimRight(p, "/") + "/" + name); err == nil {
			fs = append(fs, listed{name, i, p})
		}
	}
	all := l.o.latest("a", "A")
	if all == "a" {
		add(".")
		add("..")
	}
	blocks := int64(0)
	for _, i := range infos {
		if strings.HasPrefix(i.Name(), ".") && all == "" {
			continue
		}
		fs = append(fs, listed{i.Name(), i, p})
		blocks += (size(i) + 4095) / 4096 * 4
	}
	l.order(fs)
	if l.o.has("l", "n") {
		fmt.Fprintf(l.Out, "total %d\n", blocks)
	}
	l.show(fs)
}

// show writes names, or with -l lines whose columns are as wide as the widest needs.
func (l *lister) show(files []listed) {
	if !l.o.has("l", "n") {
		for _, f := range files {
			fmt.Fprintln(l.Out, f.name)
		}
		return
	}
	var rows [][4]string
	var width [4]int
	for _, f := range files {
		u, g := l.System.userName(f.info.UID()), l.System.groupName(f.info.GID())
		if l.o.has("n") {
			u, g = strconv.Itoa(f.info.UID()), strconv.Itoa(f.info.GID())
		}
		row := [4]string{strconv.FormatUint(names(f.info), 10), u, g, strconv.FormatInt(size(f.info), 10)}
		for i := range row {
			width[i] = max(width[i], len(row[i]))
		}
		rows = append(rows, row)
	}
	for i, f := range files {
		r := rows[i]
		owner := fmt.Sprintf("%-*s %-*s", width[1], r[1], width[2], r[2])
		if l.o.has("n") {
			owner = fmt.Sprintf("%*s %*s", width[1], r[1], width[2], r[2])
		}
		fmt.Fprintf(l.Out, "%s %*s %s %*s %s %s%s\n", letters(f.info.Mode()), width[0], r[0], owner, width[3], r[3], l.when(f.info.ModTime()),
			f.name, l.arrow(f))
	}
}

func (l *lister) arrow(f listed) string {
	if f.info.Mode()&fs.ModeSymlink == 0 {
		return ""
	}
	p := f.name
	if f.dir != "" {
		p = strings.TrimRight(f.dir, "/") + "/" + f.name
	}
	target, err := l.Files.Readlink(p)
	if err != nil {
		return ""
	}
	return " -> " + target
}

// when is a file's time: with the hour within half a year, else with the year.
func (l *lister) when(t time.Time) string {
	now := l.System.Now()
	if t.After(now) || now.Sub(t) > 31556952/2*time.Second {
		return t.UTC().Format("Jan _2  2006")
	}
	return t.UTC().Format("Jan _2 15:04")
}
