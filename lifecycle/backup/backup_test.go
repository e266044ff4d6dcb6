package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

var (
	v135 = lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

const secret = "-----THE KEY OF THE CA-----"

// archive is what `k0s backup` writes, as far as it matters.
func archive(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, name := range files {
		if err := a.WriteHeader(&tar.Header{Name: name, Size: int64(len(secret)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write([]byte(secret)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func whole(t *testing.T) []byte { return archive(t, "etcd-snapshot.db", "pki/ca.key", "k0s.yaml") }

func writes(b []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(b); return err }
}

func keyFile(t *testing.T) (path, recipient string) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(path, []byte("# created: today\n"+key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, key.Recipient().String()
}

func store(t *testing.T, recipients ...string) Store {
	return Store{Site: "tokyo-prod", Dir: filepath.Join(t.TempDir(), "backups"),
		Rules: lifecycle.Backups{Recipients: recipients, Keep: 3, KeepFor: 72 * time.Hour}, Now: func() time.Time { return noon }}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, strings.TrimSuffix(e.Name(), ".json"))); err != nil || !strings.HasSuffix(e.Name(), ".json") {
			out = append(out, e.Name()) // a note is its backup's
		}
	}
	return out
}

func TestKeptBackupIsEncryptedAndOpens(t *testing.T) {
	key, recipient := keyFile(t)
	s := store(t, recipient)
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz.age"; filepath.Base(path) != want {
		t.Errorf("it is called %s, want %s", filepath.Base(path), want)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if b, _ := os.ReadFile(path); !bytes.HasPrefix(b, []byte(ageHeader)) || bytes.Contains(b, []byte(secret)) {
		t.Error("it is not encrypted")
	}
	src, err := Open(path, key)
	if err != nil {
		t.Fatal(err)
	}
	if src.Version != v135 || src.Site != "tokyo-prod" || !src.Encrypted || !strings.HasPrefix(src.Digest, "sha256:") {
		t.Errorf("it opens as %+v", src)
	}
	r, err := src.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, whole(t)) {
		t.Errorf("what comes out is not what went in: %v", err)
	}
	if got := names(t, s.Dir); len(got) != 1 {
		t.Errorf("something else was left: %v", got)
	}
}

func TestBackupWithoutRecipientsWarns(t *testing.T) {
	s := store(t)
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil || !strings.HasSuffix(path, ".tar.gz") {
		t.Fatal(path, err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	if d := s.Unencrypted(); d == nil || d.Severity != lifecycle.SeverityWarning || !strings.Contains(d.Detail, "CA") {
		t.Errorf("the warning is %+v", d)
	}
	_, recipient := keyFile(t)
	if d := store(t, recipient).Unencrypted(); d != nil {
		t.Errorf("an encrypted one warns: %v", d)
	}
	if _, err := Open(path, ""); err != nil {
		t.Error(err)
	}
}

func TestOnlyWholeBackupsAreKept(t *testing.T) {
	good := whole(t)
	_, recipient := keyFile(t)
	broken := errors.New("the connection is lost")
	for name, tt := range map[string]struct {
		take func(io.Writer) error
		says string
	}{
		"cut off":              {writes(good[:len(good)-9]), "breaks off"},
		"cut off in the midst": {writes(good[:len(good)/2]), "breaks off"},
		"nothing":              {writes(nil), "not compressed"},
		"an error message":     {writes([]byte("Error: k0s is not running\n")), "not compressed"},
		"no data":              {writes(archive(t, "pki/ca.key", "k0s.yaml")), "no snapshot"},
		"no keys":              {writes(archive(t, "etcd-snapshot.db")), "keys"},
		"a lost connection":    {func(w io.Writer) error { _, err := w.Write(good[:20]); return errors.Join(err, broken) }, "connection is lost"},
	} {
		for _, recipients := range [][]string{nil, {recipient}} {
			s := store(t, recipients...)
			path, err := s.Keep(t.Context(), v135, tt.take, nil)
			if err == nil || !strings.Contains(err.Error(), tt.says) || path != "" {
				t.Errorf("%s: kept as %q, %v", name, path, err)
			}
			if got := names(t, s.Dir); len(got) != 0 {
				t.Errorf("%s: left %v", name, got)
			}
		}
	}
}

func TestWhatIsOnTheDiskIsReadAgain(t *testing.T) {
	_, recipient := keyFile(t)
	for _, recipients := range [][]string{nil, {recipient}} {
		s := store(t, recipients...)
		_, err := s.Keep(t.Context(), v135, func(w io.Writer) error {
			if _, err := w.Write(whole(t)); err != nil {
				return err
			}
			half, _ := filepath.Glob(filepath.Join(s.Dir, atomicfile.Unfinished))
			if len(half) != 1 {
				t.Fatalf("written to %v", half)
			}
			f, err := os.OpenFile(half[0], os.O_RDWR, 0) // a disk that does not keep what it is given
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			at, one := int64(30), make([]byte, 1)
			if len(recipients) > 0 {
				at = 100
			}
			if _, err := f.ReadAt(one, at); err != nil {
				return err
			}
			_, err = f.WriteAt([]byte{one[0] ^ 1}, at) // another byte, whatever was there
			return err
		}, nil)
		if err == nil || !strings.Contains(err.Error(), "read back") {
			t.Errorf("with recipients %v a damaged file is kept: %v", recipients, err)
		}
	}
}

func TestExpired(t *testing.T) {
	days := func(ns ...int) []File {
		var out []File
		for _, n := range ns {
			out = append(out, File{Taken: noon.Add(-time.Duration(n) * 24 * time.Hour)})
		}
		return out
	}
	for _, tt := range []struct {
		name  string
		files []File
		rules lifecycle.Backups
		want  []File
	}{
		{"none", nil, lifecycle.Backups{Keep: 1}, nil},
		{"too many", days(0, 1, 2, 3), lifecycle.Backups{Keep: 2}, days(2, 3)},
		{"too old", days(0, 1, 40, 50), lifecycle.Backups{Keep: 10, KeepFor: 30 * 24 * time.Hour}, days(40, 50)},
		{"the newest stays however old", days(40, 50), lifecycle.Backups{KeepFor: 24 * time.Hour}, days(50)},
		{"no limit", days(0, 400), lifecycle.Backups{}, nil},
	} {
		if got := Expired(tt.files, tt.rules, noon); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestRetentionTouchesOnlyTheSitesOwn(t *testing.T) {
	s := store(t)
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	keep := []string{"tokyo-prod-v1.35.7+k0s.0-20261121T110000Z.tar.gz", "osaka-v1.34.10+k0s.0-20200101T000000Z.tar.gz", "notes.txt",
		"tokyo-prod.tar.gz"}
	for _, name := range append(slices.Clone(keep), "tokyo-prod-v1.35.7+k0s.0-20261101T000000Z.tar.gz.age", ".new-killed") {
		path := filepath.Join(s.Dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, noon.Add(-2*time.Hour), noon.Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := append(keep, filepath.Base(path))
	slices.Sort(want)
	if got := names(t, s.Dir); !slices.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	again, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil || again == path {
		t.Errorf("a second backup in one second is %s, %v", again, err)
	}
}

func TestOut(t *testing.T) {
	s := store(t)
	s.Out = filepath.Join(t.TempDir(), "mine.tgz")
	if path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil); err != nil || path != s.Out {
		t.Fatal(path, err)
	}
	if _, err := s.Keep(t.Context(), v135, writes(whole(t)), nil); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a backup overwrites: %v", err)
	}
	s.Out = t.TempDir()
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil || filepath.Dir(path) != s.Out || !strings.Contains(path, "v1.35.7") {
		t.Error(path, err)
	}
	// A folder that is not there is made, where it is said to be one; else it is said before a backup is taken for nothing.
	s.Out = filepath.Join(t.TempDir(), "new", "deep") + "/"
	if path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil); err != nil || !strings.HasPrefix(path, s.Out) {
		t.Error(path, err)
	}
	s.Out = filepath.Join(t.TempDir(), "new", "mine.tgz")
	if _, err := s.Keep(t.Context(), v135, func(io.Writer) error { t.Error("a backup is taken"); return nil }, nil); err == nil ||
		!strings.Contains(err.Error(), "there is no folder") {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	key, recipient := keyFile(t)
	other, _ := keyFile(t)
	path, err := store(t, recipient).Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.age")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("AGE-SECRET-KEY-1QQQ hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, key, says string }{
		{"no key", path, "", "is encrypted"},
		{"another's key", path, other, "does not open with that key"},
		{"no key in the file", path, text, "no age private key"},
		{"a key file that is not there", path, "/nowhere/key", "cannot be read"},
		{"damaged", damaged, key, "not whole"},
		{"no backup", text, "", "not whole"},
		{"not there", "/nowhere/backup", "", "cannot be read"},
	} {
		_, err := Open(tt.path, tt.key)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
		if err != nil && (strings.Contains(err.Error(), "QQQ") || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: the error tells a secret: %v", tt.name, err)
		}
	}
}

func TestCheckRecipient(t *testing.T) {
	key, recipient := keyFile(t)
	if err := CheckRecipient(recipient); err != nil {
		t.Error(err)
	}
	b, _ := os.ReadFile(key)
	private := strings.TrimSpace(strings.SplitN(string(b), "\n", 2)[1])
	for _, s := range []string{"", "age1nonsense", private, strings.ToLower(private)} {
		if err := CheckRecipient(s); err == nil || (s == private && strings.Contains(err.Error(), private)) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz.age")
	f.Add("a-v1.36.0-rc.1+k0s.0-20261121T120000Z.tar.gz")
	f.Add("notes.txt")
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := Parse(name)
		if !ok {
			return
		}
		again, ok := Parse(got.Name())
		if again.Path = got.Path; !ok || again != got {
			t.Errorf("%q reads as %+v, which is written %q", name, got, got.Name())
		}
	})
}
