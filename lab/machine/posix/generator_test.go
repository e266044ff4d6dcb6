package posix_test

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	generated = flag.Int("generated", 250, "how many generated lines are compared")
	seed      = flag.Uint64("seed", 1, "of the generated lines")
)

// maker writes random lines of what the lab says that it supports.
type maker struct{ *rand.Rand }

func (m maker) one(of ...string) string { return of[m.IntN(len(of))] }

// some is each of the options with some chance.
func (m maker) some(options ...string) string {
	var b strings.Builder
	for _, o := range options {
		if m.IntN(3) == 0 {
			b.WriteString(" " + o)
		}
	}
	return b.String()
}

func (m maker) file() string {
	return m.one("text", "nonl", "empty", "blank", "numbers", "fields", "versions", "env", "unit", "crlf", "'a b'", "absent", "dir", "link",
		"dangling")
}

func (m maker) target() string {
	return m.one("new", "text", "nonl", "empty", "dir", "dir/new", "hollow", "absent/new", "link", "dangling", "dirlink", "'c d'", "script",
		"dir/f")
}

func (m maker) source() string {
	return m.one("text", "nonl", "'a b'", "dir", "dir/f", "dir/sub", "link", "dangling", "dirlink", "absent", "hollow", "script", "su", "env")
}

func (m maker) mode() string {
	who := m.one("", "u", "g", "o", "a", "ug", "go")
	return m.one("600", "0644", "755", "4755", "1777", "2750", "0", who+m.one("+", "-", "=")+m.one("r", "w", "x", "rw", "rx", "X", "s", "t",
		"", "u", "g", "rwx"),
		"u=rwX,go=rX", "u+w,o-r", "a=r,u+w")
}

func (m maker) pattern() string {
	atom := func() string {
		return m.one("o", "e", "t", "one", "two", ".", "[a-f]", "[^a-z]", "[[:digit:]]", "[[:space:]]", `\.`, "=", ":", "T", " ") + m.one("",
			"", "", "*")
	}
	return m.one("", "", "^") + atom() + m.one("", atom()) + m.one("", "", "$")
}

func (m maker) address() string {
	one := func() string { return m.one("1", "2", "3", "$", "/"+m.plain()+"/") }
	return m.one("", one(), one()+","+one(), one()+"!", one()+",+"+m.one("0", "1", "2"))
}

func (m maker) plain() string { return m.one("o", "t", "e$", "^t", "one", "[0-9]", "^$", "a.*b") }

func (m maker) sed() string {
	command := func() string {
		return m.address() + m.one("p", "d", "s/"+m.pattern()+"/"+m.one("", "X", "&&", "[&]", "a b")+"/"+m.one("", "g", "p", "2", "gp", "I"),
			"{p;s/o/0/}")
	}
	return command() + m.one("", "", ";"+command())
}

// filter is a program that reads standard input.
func (m maker) filter() string {
	n := m.one("0", "1", "2", "3", "100")
	switch m.IntN(11) {
	case 0:
		return "grep" + m.some("-v", "-i", "-c", "-n", "-o", "-x", "-w", "-m "+n) + " -e '" + m.pattern() + "'"
	case 1:
		return "grep -E" + m.some("-v", "-c", "-o", "-n") + " '" + m.one("(one|two)", "o+", "e{2}", "^[a-z]+$", "t?o", "a|b|c", "(o)(n)?") + "'"
	case 2:
		return "sed" + m.some("-n", "-E") + " '" + m.sed() + "'"
	case 3:
		return "head " + m.one("-n ", "-c ", "-n -", "-c -") + n
	case 4:
		return "tail " + m.one("-n ", "-c ", "-n +", "-c +") + n
	case 5:
		return "cut " + m.one("-d: ", "-d' ' ", "-d= ", "", "-s -d: ") + "-f" + m.one("1", "2", "1-2", "2-", "-2", "1,3", "3")
	case 6:
		return "cut -c" + m.one("1", "2-4", "3-", "-2", "1,3,5-6")
	case 7:
		return "tr " + m.one("a-z A-Z", "-d o", "-s o", "-d '[:space:]'", "-s '\\n'", "-cd 'a-z\\n'", "' ' '\\n'", "abc xy",
			"'[:lower:]' '[:upper:]'", "-cs a-z _")
	case 8:
		return "sort" + m.some("-r", "-u", m.one("-n", "-V"))
	case 9:
		return "uniq" + m.some("-c", "-d", "-u")
	}
	return "wc" + m.some("-l", "-w", "-c")
}

func (m maker) files() string {
	switch m.IntN(13) {
	case 0:
		return "chmod" + m.some("-R", "-f") + " " + m.mode() + " " + m.source()
	case 1:
		return "mkdir" + m.some("-p", "-m "+m.mode()) + " " + m.one("new", "new/a", "dir", "dir/x", "text", "hollow/a/b", "dirlink/x", "a b")
	case 2:
		return "rm" + m.some("-f", "-r", "-d", "-v") + " " + m.source() + " " + m.source()
	case 3:
		return "mv" + m.some("-f", "-n", "-T", "-v") + " " + m.source() + " " + m.target()
	case 4:
		return "cp" + m.some("-f", "-p", "-r", "-a", "-T") + " " + m.one("text", "nonl", "'a b'", "dir", "dir/f", "link", "dangling", "absent",
			"hollow", "script", "su", "env") +
			" " + m.one("new", "text", "nonl", "hollow", "absent/new", "link", "dangling", "'c d'", "script")
	case 5:
		return "ln" + m.some("-s", "-f", "-n", "-T", "-v") + " " + m.source() + " " + m.target()
	case 6:
		return "install" + m.some("-D", "-T", "-m "+m.mode(), "-p", "-v") + " " + m.one("text", "nonl", "link", "absent", "dir",
			"script") + " " + m.target()
	case 7:
		return "install -d" + m.some("-m "+m.mode()) + " " + m.one("new/a", "dir", "hollow", "text", "dirlink/x")
	case 8:
		return "touch" + m.some("-c", "-a", "-m", "-d @"+m.one("0", "5", "1700000000")) + " " + m.target()
	case 9:
		return "truncate" + m.some("-c") + " -s " + m.one("0", "5", "+3", "-3", "1K") + " " + m.target()
	case 10:
		return "find " + m.one("dir", "hollow", "dirlink", "text") + m.some("-maxdepth 1", "-mindepth 1") + m.some("-type f", "-name 'f*'",
			"-name sub") + m.one("", " -print", " -delete") + " | sort"
	case 11:
		return m.one("readlink", "readlink -f", "readlink -e", "readlink -m", "realpath", "realpath -m", "basename", "dirname", "rmdir",
			"ls -A", "ls -d", "ls -l") + " " + m.source()
	}
	return "stat" + m.some("-L") + " -c '%n %a %A %F %h %u %g' " + m.source()
}

// condition is a test of the shell.
func (m maker) condition() string {
	one := func() string {
		return m.one("-e "+m.source(), "-f "+m.source(), "-d "+m.source(), "-s "+m.file(), "-L "+m.source(), "-x "+m.source(), "-n ''", "-z ''",
			"a = a", "a != a", "1 -lt 2", "'' = ''", "1 -eq x")
	}
	return "[ " + m.one("", "! ") + one() + m.one("", "", " -a "+one(), " -o "+one()) + " ]"
}

func (m maker) line() string {
	switch m.IntN(6) {
	case 0, 1:
		return "cat " + m.file() + " | " + m.filter() + m.one("", " | "+m.filter())
	case 2:
		return m.filter() + " " + m.one("< ", "") + m.one("text", "nonl", "numbers", "fields", "env")
	case 3:
		return "if " + m.condition() + "; then " + m.files() + "; else echo no; fi"
	case 4:
		return "x=$(" + m.filter() + " < " + m.one("text", "env") + ") && printf '%s\\n' \"$x\"" + m.one("", " $x",
			" \"${x%%e*}\" \"${x#o}\" \"${#x}\"")
	}
	return m.files() + m.one("", "; echo $?", " && "+m.files(), " || echo failed")
}

// TestGeneratedLines compares lines that nobody has thought of. A line that the lab refuses is passed over; few may be.
func TestGeneratedLines(t *testing.T) {
	t.Parallel()
	reference(t)
	m := maker{rand.New(rand.NewPCG(*seed, 0))}
	refused := 0
	for i := range *generated {
		r := row{line: m.line(), how: "exact"}
		for _, u := range (row{users: "self"}).who(t) {
			want, got := sides(t, r.line, u)
			compared.Add(1)
			d := differences("exact", want, got)
			switch {
			case d == "":
			case refusal.MatchString(got.err) && strings.Contains(got.err, "not in the lab"):
				refused++
			default:
				t.Errorf("line %d of -seed %d: as %s$ %s\n%s", i+1, *seed, u.Name, r.line, d)
			}
		}
	}
	if refused > *generated/20 {
		t.Errorf("the lab refused %d of %d lines that it should support", refused, *generated)
	}
	t.Logf("%d lines, %d of them refused", *generated, refused)
}
