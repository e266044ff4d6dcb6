package k0s

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"

	"kiban.dev/kiban/lifecycle"
)

// keptInMemory is how large a file may be, in bytes, of which the content is kept while its site is worked with. Larger ones, such as
// bundles of images, are read anew when they are sent.
const keptInMemory = 1 << 20

// sourceFiles are the files of this machine that hosts are to have, by path: however many hosts get one, it is read once.
type sourceFiles map[string]sourceFile

type sourceFile struct {
	content []byte // nil where the file is large: then local is its path
	local   string
	digest  string
	// mode is that of the file here, which a host's file begins with where none is declared. It is not compared: it depends on the umask
	// with which the repository was checked out.
	mode string
}

func (s sourceFiles) read(local string) (sourceFile, error) {
	if known, ok := s[local]; ok {
		return known, nil
	}
	info, err := os.Stat(local)
	if err != nil {
		return sourceFile{}, err
	}
	f := sourceFile{mode: fmt.Sprintf("%04o", info.Mode()&fs.ModePerm)}
	if info.Size() > keptInMemory {
		sum, _, err := sumFile(local)
		if err != nil {
			return sourceFile{}, err
		}
		f.local, f.digest = local, lifecycle.DigestFromHex(sum)
	} else {
		if f.content, err = os.ReadFile(local); err != nil {
			return sourceFile{}, err
		}
		f.digest = digest(f.content)
	}
	s[local] = f
	return f, nil
}

// openContent gives the content of a host's file.
func openContent(f lifecycle.HostFile) (io.ReadCloser, error) {
	if f.Local == "" {
		return io.NopCloser(bytes.NewReader(f.Content)), nil
	}
	return os.Open(f.Local)
}
