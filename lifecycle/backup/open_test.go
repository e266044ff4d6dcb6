package backup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatIsNotRead: what keeps a backup from being opened here says nothing of the backup, and what is damaged does; each in its own
// words.
func TestWhatIsNotRead(t *testing.T) {
	key, recipient := keyFile(t)
	stranger, _ := keyFile(t)
	s := store(t, recipient)
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed := readFile(t, path)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		to := filepath.Join(dir, name)
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return to
	}
	body := bytes.LastIndex(sealed, []byte("\n--- ")) + len("\n--- ")
	altered := func(at int) []byte { return flipped(sealed, 8*at) }
	const name = "tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz.age"
	for what, c := range map[string]struct {
		path, key string
		unread    bool
		says      string
	}{
		"no key":               {path, "", true, "the backup is encrypted"},
		"a key's file is gone": {path, filepath.Join(dir, "gone"), true, "the private key cannot be read"},
		"no key in the file":   {path, file("notes", []byte("buy milk\n")), true, "there is no age private key in it"},
		"an encrypted key":     {path, file("key.age", []byte(ageHeader)), true, "the private key is itself encrypted"},
		"another's key":        {path, stranger, true, "the backup does not open with that key"},
		"no file":              {filepath.Join(dir, "nowhere"), key, true, "the backup cannot be read"},
		"the first piece":      {file("first", altered(len(sealed)-40)), key, false, "what age has encrypted is damaged or cut off"},
		"cut off":              {file("cut", sealed[:len(sealed)-40]), key, false, "what age has encrypted is damaged or cut off"},
		"the head's checksum":  {file("head", altered(body+4)), key, false, "what age has encrypted is damaged or cut off"},
		"the first line":       {file(name, altered(3)), key, false, "by its name it is encrypted with age"},
		"nothing is encrypted": {file("plain", []byte("buy milk\n")), "", false, "it is not compressed as it should be"},
	} {
		_, err := Open(c.path, c.key)
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, ErrUnread) != c.unread {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if c.says != "it is not compressed as it should be" && !strings.Contains(c.says, "by its name") &&
			strings.Contains(err.Error(), "compressed") {
			t.Errorf("%s: it is told as something else, too: %v", what, err)
		}
	}
	if err := errors.Join(CheckIdentity(key), CheckIdentity(stranger)); err != nil {
		t.Errorf("whole keys: %v", err)
	}
	if err := CheckIdentity(filepath.Join(dir, "gone")); !errors.Is(err, ErrUnread) {
		t.Errorf("no key: %v", err)
	}
}
