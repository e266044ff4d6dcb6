package k0s

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// Trust puts keys into a known_hosts file, at once or not at all. Lines of a machine whose key has changed go; every other line stays
// as it is.
func Trust(file string, keys []lifecycle.HostKey) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real // the link stays one
	}
	content, err := os.ReadFile(file)
	mode := fs.FileMode(0o644)
	if st, statErr := os.Stat(file); statErr == nil {
		mode = st.Mode().Perm()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return atomicfile.Fill(file, mode, func(f *os.File) error {
		next, err := amend(content, keys, f)
		if err != nil {
			return err
		}
		return overwrite(f, next)
	})
}

// amend gives the new content. scratch is a file to read intermediate content from, as the library reads files only.
func amend(content []byte, keys []lifecycle.HostKey, scratch *os.File) ([]byte, error) {
	var done []string
	for _, k := range keys {
		if k.Standing != lifecycle.KeyChanged || slices.Contains(done, k.Address) {
			continue
		}
		var err error
		if content, err = forget(content, k.Address, scratch); err != nil {
			return nil, err
		}
		done = append(done, k.Address)
	}
	if len(content) > 0 && !bytes.HasSuffix(content, []byte("\n")) {
		content = append(content, '\n')
	}
	for _, k := range keys {
		content = append(content, k.Line+"\n"...)
	}
	return content, nil
}

// forget takes the lines of an address away, until the library finds none.
func forget(content []byte, address string, scratch *os.File) ([]byte, error) {
	nobody, err := cryptossh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil, err
	}
	for {
		if err := overwrite(scratch, content); err != nil {
			return nil, err
		}
		check, err := knownhosts.New(scratch.Name())
		if err != nil {
			return nil, err
		}
		e, ok := errors.AsType[*knownhosts.KeyError](check(address, &net.TCPAddr{IP: net.IPv4zero}, nobody))
		if !ok || len(e.Want) == 0 {
			return content, nil
		}
		if content, err = without(content, e.Want[0].Line, knownhosts.Normalize(address)); err != nil {
			return nil, err
		}
	}
}

// without takes a name off a line (the first is 1), and the line away when it names nobody else.
func without(content []byte, line int, name string) ([]byte, error) {
	lines := slices.Collect(strings.Lines(string(content)))
	if line < 1 || line > len(lines) {
		return nil, fmt.Errorf("known_hosts has no line %d", line)
	}
	names, rest, _ := strings.Cut(strings.TrimLeft(lines[line-1], " \t"), " ")
	all := strings.Split(names, ",")
	left := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name || strings.HasPrefix(n, "|1|") })
	if strings.HasPrefix(names, "@") || len(left) == len(all) {
		return nil, lifecycle.Errorf("", "line %d of known_hosts is about more than %s", line, name).
			Because("It has a pattern or a marker: " + printable(names)).
			Try("Edit that line by hand")
	}
	lines[line-1] = ""
	if len(left) > 0 {
		lines[line-1] = strings.Join(left, ",") + " " + rest
	}
	return []byte(strings.Join(lines, "")), nil
}

func overwrite(f *os.File, content []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(content, 0)
	return err
}
