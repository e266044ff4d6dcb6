package helm

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/singleflight"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// StoreOptions are a Store's choices.
type StoreOptions struct {
	// CacheDir is where fetched files are kept: charts/<sha256>.tgz and manifests/<sha256>.yaml. Empty: they are kept in memory only.
	CacheDir string
	// Offline asks no network: what is neither in the cache nor in the bundle is an error.
	Offline bool
	// Refresh asks the sources again for what no pin names, though the cache has it.
	Refresh bool
	// Bundle, when it is not nil, holds files as CacheDir does, and is looked at first.
	Bundle fs.FS
	Log    *slog.Logger
}

// Store gets charts and manifests from where they are declared to be, and renders them. It may be used by several goroutines.
type Store struct {
	opts  StoreOptions
	cache cache
	web   web
	// once lets several addons that want the same file wait for one download.
	once singleflight.Group
	log  *slog.Logger
	// limits are what the rendering of a chart may take.
	limits bounded.Limits
}

// Archive is a chart as an archive.
type Archive struct {
	Bytes []byte
	// Digest is of Bytes, "sha256:<hex>".
	Digest string
	// File is what the archive is called: "metallb-0.16.2.tgz".
	File string
}

// NewStore makes a store. Nothing is read yet.
func NewStore(opts StoreOptions) *Store {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Store{opts: opts, cache: newCache(opts.CacheDir, opts.Bundle), web: newWeb(log), log: log, limits: maxRendering()}
}

// Chart gets a chart's archive. A repository that is a path is relative to dir. With a pin, the archive is the pinned one or there is an
// error; without, what was fetched once is used again, for a version's content does not change.
func (s *Store) Chart(ctx context.Context, dir string, c lifecycle.Chart, pins *lifecycle.Pins) (Archive, error) {
	pin, _ := pins.Chart(c)
	name := c.Name + "-" + c.Version + ".tgz"
	if local(c.Repo) {
		content, err := s.folder(ctx, resolve(dir, c.Repo), c)
		if err != nil {
			return Archive{}, err
		}
		a := Archive{Bytes: content, Digest: digest(content), File: name}
		return a, changed(pin.Digest, a.Digest, "chart "+c.Name+" "+c.Version, c.Repo, "")
	}
	content, err := s.keep(kindChart, chartKey(c), pin.Digest, "chart "+c.Name+" "+c.Version, c.Repo, func() ([]byte, error) {
		if oci(c.Repo) {
			return s.registry(ctx, strings.TrimSuffix(c.Repo, "/")+"/"+c.Name, c.Version)
		}
		return s.repository(ctx, c, pin.Digest)
	})
	if err != nil {
		return Archive{}, err
	}
	return Archive{Bytes: content, Digest: digest(content), File: name}, nil
}

// Manifest gets a file of Kubernetes objects, from an https URL or a path relative to dir, and its digest.
func (s *Store) Manifest(ctx context.Context, dir, url string, pins *lifecycle.Pins) (content []byte, sum string, err error) {
	pin, _ := pins.Manifest(url)
	if local(url) {
		content, err := os.ReadFile(resolve(dir, url))
		if err != nil {
			return nil, "", lifecycle.Errorf(url, "the manifests cannot be read").
				Try("A path is relative to the overlay and names one file").
				From(err)
		}
		return content, digest(content), changed(pin.Digest, digest(content), "manifest", url, "")
	}
	content, err = s.keep(kindManifest, manifestKey(url), pin.Digest, "manifest", url, func() ([]byte, error) {
		content, err := s.web.get(ctx, url)
		if status(err) == http.StatusNotFound {
			err = lifecycle.Errorf(url, "there is no such manifest").
				Try("Correct the URL in the addon's manifests").
				From(err)
		}
		return content, err
	})
	if err != nil {
		return nil, "", err
	}
	return content, digest(content), nil
}

// keep gives a file from the bundle or the cache, else fetches and caches it. The digest, when one is pinned, is what the file must have.
func (s *Store) keep(k kind, key, pinned, what, from string, fetch func() ([]byte, error)) ([]byte, error) {
	got, err, _ := s.once.Do(string(k)+key+pinned, func() (any, error) {
		want := pinned
		if want == "" && !(s.opts.Refresh && !s.opts.Offline) {
			want = s.cache.find(k, key)
		}
		if want != "" {
			if content, err := s.cache.read(k, want); content != nil || err != nil {
				return content, err
			}
		}
		if s.opts.Offline {
			return nil, missing(what, from, pinned)
		}
		content, err := fetch()
		if err != nil {
			return nil, fmt.Errorf("%s from %s: %w", what, from, err)
		}
		if err := changed(pinned, digest(content), what, from, ""); err != nil {
			return nil, err
		}
		s.log.Debug("fetched", "what", what, "from", from, "digest", digest(content))
		return content, s.cache.write(k, key, content)
	})
	if err != nil {
		return nil, err
	}
	return got.([]byte), nil
}

// changed is the error of bytes that are not the pinned ones. Without a pin there is none.
func changed(pinned, got, what, from, detail string) error {
	if pinned == "" || pinned == got {
		return nil
	}
	noun, _, _ := strings.Cut(what, " ")
	return lifecycle.Errorf(lifecycle.PinsFile, "the %s's digest changed", noun).
		Because(fmt.Sprintf("%s from %s is %s, and %s pins %s%s", what, from, got, lifecycle.PinsFile, pinned, detail)).
		Try("Find out who changed it; when the new content is wanted, run kiban pin and commit " + lifecycle.PinsFile)
}

// missing is the error of a file that would have to be fetched.
func missing(what, from, pinned string) error {
	d := lifecycle.Errorf(from, "%s is neither in the bundle nor in the cache", what).
		Because("it comes from " + from + ", and the network is not to be used").
		Try("Make the bundle again with kiban bundle, where the network is, or run once without the offline setting").
		From(lifecycle.ErrNotCached)
	if pinned != "" {
		d.Detail += "; " + lifecycle.PinsFile + " pins " + pinned
	}
	return d
}

func digest(content []byte) string {
	return lifecycle.Digest(content)
}

// local reports whether a source is a path, not a URL.
func local(source string) bool { return !strings.Contains(source, "://") }

func oci(source string) bool { return strings.HasPrefix(source, "oci://") }

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}
