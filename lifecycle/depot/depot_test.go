package depot

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/depot/depottest"
)

// secrets finds each source's own name as its value, but for those that are given.
func secrets(given map[string]string) func(lifecycle.SecretSource) ([]byte, bool, error) {
	return func(s lifecycle.SecretSource) ([]byte, bool, error) {
		v, ok := given[s.Env]
		return []byte(v), ok, nil
	}
}

// place is one that works, and how its server is told to fail.
type place struct {
	to   lifecycle.BackupTo
	opts Options
	// deny refuses the credentials from now on; full lets nothing more be written; silent answers nothing any more. Nil: that can't be.
	deny, full, silent func()
}

func (p place) open(t *testing.T) *Depot {
	t.Helper()
	d, err := Open(p.to, p.opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func places(t *testing.T) map[string]place {
	return map[string]place{"s3": s3Place(t), "sftp": sftpPlace(t), "oci": ociPlace(t), "folder": folderPlace(t)}
}

func folderPlace(t *testing.T) place { return place{to: lifecycle.BackupTo{Folder: t.TempDir()}} }

// TestEveryPlaceConforms holds all kinds, and the fake that others are tested with, to one behaviour.
func TestEveryPlaceConforms(t *testing.T) {
	for kind, p := range places(t) {
		t.Run(kind, func(t *testing.T) { depottest.Conform(t, p.open(t)) })
	}
	t.Run("memory", func(t *testing.T) { depottest.Conform(t, &depottest.Memory{}) })
}

// TestFailuresAreNamed: a place that refuses, is full or is silent is told as that, with what to do about it.
func TestFailuresAreNamed(t *testing.T) {
	for _, kind := range []string{"s3", "sftp", "oci"} {
		for name, c := range map[string]struct {
			befall func(place) func()
			hint   string
		}{
			"credentials refused": {func(p place) func() { return p.deny }, "credentials"},
			"disk full":           {func(p place) func() { return p.full }, "Make room"},
			"silent":              {func(p place) func() { return p.silent }, "Look at the way to it"},
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				p := places(t)[kind]
				if name == "silent" {
					p.opts.Silence = 300 * time.Millisecond
				}
				d := p.open(t)
				c.befall(p)()
				begin := time.Now()
				err := d.Put(t.Context(), "a.tar.gz", strings.NewReader("content"), 7)
				told, ok := errors.AsType[lifecycle.Diagnostic](err)
				if !ok || told.Subject != d.String() || !strings.Contains(told.Hint, c.hint) || told.Detail == "" {
					t.Errorf("it says %+v (%v)", told, err)
				}
				if took := time.Since(begin); took > time.Minute {
					t.Errorf("it took %s to say so", took)
				}
			})
		}
	}
}

// TestMountThatHangs: what cannot be interrupted is left behind.
func TestMountThatHangs(t *testing.T) {
	d := &Depot{to: lifecycle.BackupTo{Folder: "/mnt/gone"}, kind: hanging{}, silence: 50 * time.Millisecond}
	if err := d.Put(t.Context(), "a", strings.NewReader("x"), 1); !errors.Is(err, errSilent) {
		t.Errorf("put: %v", err)
	}
	if _, err := d.List(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("list: %v", err)
	}
}

type hanging struct{ kind }

func (hanging) put(context.Context, string, io.Reader, int64) error { select {} }

func (hanging) list(context.Context) ([]lifecycle.StoredFile, error) { select {} }

// TestMissingMountIsNotMade: what would be written below a mount that is missing does not outlive the machine.
func TestMissingMountIsNotMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mnt")
	d, err := Open(lifecycle.BackupTo{Folder: path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "a", strings.NewReader("x"), 1); err == nil || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the folder was made")
	}
}

// TestCredentialsThatAreNotHere are named before anything is dialled, without a value.
func TestCredentialsThatAreNotHere(t *testing.T) {
	s3 := lifecycle.BackupTo{S3: lifecycle.BackupS3{Endpoint: "https://s3.example.com", Bucket: "backups",
		AccessKey: lifecycle.SecretSource{Env: "KIBAN_SECRET_A"}, SecretKey: lifecycle.SecretSource{Env: "KIBAN_SECRET_B"}}}
	_, err := Open(s3, Options{Secret: secrets(map[string]string{"KIBAN_SECRET_A": "access"})})
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok || !strings.Contains(d.Summary, "secret key") || d.Subject != "$KIBAN_SECRET_B" || !strings.Contains(d.Hint, "masked") {
		t.Errorf("it says %+v", d)
	}
}

// silence is a listener that takes connections and says nothing.
func silence(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// troubled is a web server that can be told to fail.
type troubled struct {
	http.Handler
	trouble http.HandlerFunc
	quiet   chan struct{}
}

func (s *troubled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.trouble != nil {
		s.trouble(w, r)
		return
	}
	s.Handler.ServeHTTP(w, r)
}

// silent lets every request hang until the test ends.
func (s *troubled) silent(t *testing.T) func() {
	s.quiet = make(chan struct{})
	t.Cleanup(func() { close(s.quiet) })
	return func() { s.trouble = func(http.ResponseWriter, *http.Request) { <-s.quiet } }
}
