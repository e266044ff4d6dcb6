package k0s

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"syscall"

	"kiban.dev/kiban/lab/machine/disk"
)

// shim is the interpreter that the first line of a binary names.
const shim = "/lab/bin/shim"

// binarySize is a binary's size: large enough that uploading it is work, small enough that a thousand of them are no burden.
const binarySize = 256 << 10

// Binary is the file that stands for a k0s release: its first line tells the version, its last one a checksum of all before, so
// that a truncated or altered copy cannot be executed.
func Binary(version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "#!%s --as=%s\n", shim, version)
	line := "# k0s " + version + " for the lab: this text stands where a real release has its program.\n"
	for b.Len()+len(line) < binarySize-len(trailer(0)) {
		b.WriteString(line)
	}
	b.WriteString(trailer(crc32.ChecksumIEEE(b.Bytes())))
	return b.Bytes()
}

func trailer(sum uint32) string { return fmt.Sprintf("# crc32 %08x\n", sum) }

// IsBinary reports whether a script's first line, without "#!", is that of a Binary.
func IsBinary(line string) bool { return strings.HasPrefix(line, shim+" --as=") }

// BinaryVersion reads the version of a binary on the machine; syscall.ENOEXEC when it is not one, or a damaged one.
func BinaryVersion(files disk.View, path string) (string, error) {
	f, err := files.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	version, ok := strings.CutPrefix(string(first), "#!"+shim+" --as=")
	n := len(b) - len(trailer(0))
	if !ok || n < 0 || string(b[n:]) != trailer(crc32.ChecksumIEEE(b[:n])) {
		return "", syscall.ENOEXEC
	}
	return version, nil
}
