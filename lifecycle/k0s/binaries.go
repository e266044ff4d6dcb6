package k0s

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// binary is a k0s binary on this machine, checked.
type binary struct {
	path   string
	sha256 string
	size   int64
}

// fetches makes sure that each binary is fetched once in a session, however many hosts are to get it.
type fetches struct {
	mu   sync.Mutex
	byID map[string]*fetched
}

type fetched struct {
	mu   sync.Mutex
	done bool
	b    binary
	err  error
	want string // its checksum, as soon as that is known
}

// of finds what there is of a binary.
func (f *fetches) of(v lifecycle.Version, arch string) *fetched {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID == nil {
		f.byID = map[string]*fetched{}
	}
	id := v.String() + "/" + arch
	if f.byID[id] == nil {
		f.byID[id] = &fetched{}
	}
	return f.byID[id]
}

// fetch gives the binary of a version, from the cache or from the site's source. Its checksum is compared every time; a wrong one
// is an error for everybody who asks (H14).
func (s *Session) fetch(ctx context.Context, v lifecycle.Version, arch string, progress func(string)) (binary, error) {
	f := s.fetching.of(v, arch)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.done {
		f.b, f.err = s.obtain(ctx, v, arch, progress)
		f.done = ctx.Err() == nil // an interrupted fetch says nothing about the next
	}
	return f.b, f.err
}

// checksum is what the binary of a version must have: the repository's pin, or what the site's source publishes. The binary itself is not
// fetched for it, and the source is asked once.
func (s *Session) checksum(ctx context.Context, v lifecycle.Version, arch string) (string, error) {
	f := s.fetching.of(v, arch)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done && f.err == nil {
		return f.b.sha256, nil
	}
	if f.want != "" {
		return f.want, nil
	}
	dir, err := s.cacheDir()
	if err != nil {
		return "", err
	}
	f.want, err = checksumOf(ctx, s.site, v, arch, dir, s.opts.Offline)
	return f.want, err
}

func (s *Session) obtain(ctx context.Context, v lifecycle.Version, arch string, progress func(string)) (binary, error) {
	dir, err := s.cacheDir()
	if err != nil {
		return binary{}, err
	}
	return obtain(ctx, s.site, v, arch, dir, s.opts.Offline, progress)
}

// cacheDir is where binaries and their signatures are kept.
func (s *Session) cacheDir() (string, error) {
	if s.opts.CacheDir != "" {
		return s.opts.CacheDir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to keep k0s binaries in: %w", err)
	}
	return filepath.Join(user, "kiban"), nil
}

// obtain gives a binary that is in the folder, or is fetched into it; offline, only one that is there.
func obtain(ctx context.Context, site lifecycle.Site, v lifecycle.Version, arch, dir string, offline bool, progress func(string)) (binary,
	error) {
	src := newSource(site, v, arch)
	want, err := checksumOf(ctx, site, v, arch, dir, offline)
	if errors.Is(err, lifecycle.ErrNotCached) {
		return binary{}, src.notHere(v, arch, dir)
	}
	if err != nil {
		return binary{}, err
	}
	file := filepath.Join(dir, v.String(), src.name)
	if sum, size, err := sumFile(file); err == nil && sum == want {
		return binary{file, sum, size}, nil
	}
	if offline {
		return binary{}, src.notHere(v, arch, dir)
	}
	progress("fetching " + src.url)
	return src.download(ctx, file, want)
}

// checksumOf is a binary's checksum: the one that the repository pins, else the one that the site's source publishes. Where the fleet has
// k0s's signing key, it is signed by that, too; dir keeps signatures. lifecycle.ErrNotCached: it is not pinned, or its signature is not
// in
// dir, and the network is not to be asked.
func checksumOf(ctx context.Context, site lifecycle.Site, v lifecycle.Version, arch, dir string, offline bool) (string, error) {
	src := newSource(site, v, arch)
	want, err := pinned(site, v, arch)
	switch {
	case err != nil:
		return "", err
	case want != "":
	case offline:
		return "", src.unpinned(v, arch)
	default:
		if want, err = src.checksum(ctx); err != nil {
			return "", err
		}
	}
	if err := src.signed(ctx, site, want, dir, offline); err != nil {
		return "", err
	}
	return want, nil
}

// source is where one binary comes from.
type source struct {
	url, checksums, name string
	version              string
}

func newSource(site lifecycle.Site, v lifecycle.Version, arch string) source {
	src := source{name: fmt.Sprintf("k0s-%s-%s", v, arch), version: v.String()}
	url, sums := site.Binary.URL, site.Binary.Checksums
	if url == "" {
		url, sums = lifecycle.ReleaseURL, lifecycle.ReleaseChecksums
	}
	src.url = src.expand(url, v, arch, site.Dir)
	// a source may be a folder of the release's files
	if strings.HasSuffix(src.url, "/") || !isURL(src.url) && isDir(src.url) {
		src.url = strings.TrimSuffix(src.url, "/") + "/" + src.name
	}
	if sums == "" {
		src.checksums = path.Dir(src.url) + "/sha256sums.txt"
		if i := strings.Index(src.url, "://"); i >= 0 {
			src.checksums = src.url[:i+3] + path.Dir(src.url[i+3:]) + "/sha256sums.txt"
		}
		return src
	}
	src.checksums = src.expand(sums, v, arch, site.Dir)
	return src
}

// expand fills in version and architecture. In a URL the version's plus sign must be escaped: servers take a plain one for a blank.
func (src source) expand(template string, v lifecycle.Version, arch, dir string) string {
	version := v.String()
	if isURL(template) {
		version = strings.ReplaceAll(version, "+", "%2B")
	}
	out := strings.NewReplacer("{version}", version, "{arch}", arch).Replace(template)
	if isURL(out) {
		return out
	}
	folder := strings.HasSuffix(out, "/")
	out = absolute(dir, strings.TrimPrefix(out, "file://"))
	if folder {
		out += "/"
	}
	return out
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

// download fetches to a temporary file beside the cache's, and puts it in place only with the right checksum.
func (src source) download(ctx context.Context, file, want string) (binary, error) {
	r, err := open(ctx, src.url)
	if err != nil {
		return binary{}, src.unavailable("k0s cannot be fetched", src.url, err)
	}
	defer r.Close()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return binary{}, err
	}
	out := binary{path: file, sha256: want}
	err = atomicfile.Fill(file, 0o700, func(f *os.File) error {
		h := sha256.New()
		if out.size, err = io.Copy(io.MultiWriter(f, h), r); err != nil {
			return src.unavailable("k0s cannot be fetched", src.url, err)
		}
		return src.mustBe(want, hex.EncodeToString(h.Sum(nil)))
	})
	if err != nil {
		return binary{}, err
	}
	return out, nil
}

// mustBe refuses a file whose checksum is not the wanted one.
func (src source) mustBe(want, sum string) error {
	if sum != want {
		return lifecycle.Errorf(src.url, "the checksum of %s is wrong", src.name).
			Because(fmt.Sprintf("it is %s, and should be %s; no machine was given this file", sum, want)).
			Try("Find out whether the mirror or the pinned checksum is wrong before going on")
	}
	return nil
}

func (source) unavailable(summary, where string, err error) error {
	hint := "check binaries.url and binaries.checksums in the Site document"
	if errors.Is(err, fs.ErrNotExist) {
		hint = "the version may not be in this mirror; " + hint
	}
	return lifecycle.Errorf(where, "%s", summary).Try(hint).From(err)
}

// open reads a file of this machine, or one on a web server.
func open(ctx context.Context, where string) (io.ReadCloser, error) {
	if !isURL(where) {
		return os.Open(where)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(req *http.Request, via []*http.Request) error {
		return lifecycle.MayLead(via[0].URL, req.URL, len(via))
	}}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusNotFound {
		res.Body.Close()
		return nil, fmt.Errorf("%s: %w", res.Status, fs.ErrNotExist)
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, errors.New(res.Status)
	}
	return res.Body, nil
}

func sumFile(file string) (sum string, size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// megabytes is a size for people.
func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d kB", (n+1023)/1024)
	}
	return fmt.Sprintf("%d MB", (n+1<<19)>>20)
}
