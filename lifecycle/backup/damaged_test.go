package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// ward is a folder of backups of one cluster, and what is known of them.
type ward struct {
	t       *testing.T
	cluster cluster
	site    lifecycle.Site
	store   Store
	key     string // the file with the private key
	n       int    // how many backups were tried
}

func newWard(t *testing.T) *ward {
	key, recipient := keyFile(t)
	w := &ward{t: t, cluster: newCluster(t, "tokyo-prod", 9), site: lifecycle.Site{Name: "tokyo-prod"}, store: store(t, recipient), key: key}
	w.store.Count = nil
	return w
}

// kept is a backup with these parts, taken as a backup is taken: its note says what the cluster had.
func (w *ward) kept(archive []byte, had lifecycle.Contents, recipients ...string) (path string, note []byte) {
	w.t.Helper()
	s := w.store
	s.Out, s.Rules.Recipients = filepath.Join(w.t.TempDir(), "tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz"), recipients
	if had.Known() {
		s.Count = func(context.Context) lifecycle.Contents { return had }
	}
	path, err := s.Keep(w.t.Context(), v135, writes(archive), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	note, err = os.ReadFile(noteOf(path))
	if err != nil {
		w.t.Fatal(err)
	}
	return path, note
}

// refused verifies a file, and reports an error unless it is refused with a reason that says one of these.
func (w *ward) refused(what, path string, records []lifecycle.BackupRecord, says ...string) {
	w.t.Helper()
	w.n++
	_, err := Verify(w.site, path, w.key, records, []string{"secretbox/a"}, w.t.TempDir(), noon)
	if err == nil {
		w.t.Errorf("%s: it passes", what)
		return
	}
	text := err.Error()
	for _, d := range lifecycle.AsDiagnostics(err, "?") {
		text += "\n" + d.Summary + "\n" + d.Detail
		if d.Hint == "" {
			w.t.Errorf("%s: nothing says what to do: %v", what, err)
		}
	}
	for _, s := range says {
		if strings.Contains(text, s) {
			return
		}
	}
	if len(says) > 0 {
		w.t.Errorf("%s: it is refused with %q, want %q", what, text, says)
	}
}

// put writes a file as a backup of that site, with a note or without.
func (w *ward) put(name string, content, note []byte) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if note != nil {
		if err := os.WriteFile(noteOf(path), note, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	return path
}

func flipped(b []byte, bit int) []byte {
	out := bytes.Clone(b)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

const named = "tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz"

// TestWholeBackupIsVerified: what all the damaged ones are made of passes, in each form, by its note and by the cluster's record alone.
func TestWholeBackupIsVerified(t *testing.T) {
	w := newWard(t)
	archive := packed(t, w.cluster.parts(t))
	for _, recipients := range [][]string{nil, w.store.Rules.Recipients} {
		path, note := w.kept(archive, w.cluster.had(), recipients...)
		v, err := Verify(w.site, path, w.key, nil, []string{"secretbox/a"}, t.TempDir(), noon)
		if err != nil {
			t.Fatalf("%v %v", err, lifecycle.AsDiagnostics(err, "?"))
		}
		want := map[string]int64{"secrets": 9, "deployments": 9, "certificates.cert-manager.io": 9, "services": 1, "endpoints": 1,
			"configmaps": 2, "namespaces": 1}
		for kind, n := range want {
			if v.Data.Contents.Objects[kind].Least != n {
				t.Errorf("%s: %v, want %d", kind, v.Data.Contents.Objects[kind], n)
			}
		}
		if len(v.Data.Contents.Objects) != len(want) || v.Data.Contents.Cluster != w.cluster.uid || v.Data.Site != "tokyo-prod" ||
			fmt.Sprint(v.Data.Sealed) != "[secretbox/a]" {
			t.Errorf("%+v", v.Data)
		}
		if err := os.Remove(noteOf(path)); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(w.site, path, w.key, w.records(note), nil, t.TempDir(), noon); err != nil {
			t.Errorf("by the cluster's record: %v", err)
		}
	}
}

// records are what the cluster keeps of the backup of that note.
func (w *ward) records(b []byte) []lifecycle.BackupRecord {
	var n note
	if err := json.Unmarshal(b, &n); err != nil {
		w.t.Fatal(err)
	}
	return []lifecycle.BackupRecord{n.record(named, noon)}
}

// TestDamagedBackupsAreRefused: more than a thousand ways in which a backup can be another than it should be. Each is refused with a reason
// and with what to do; what cannot be told from the file alone is told by what is known of it.
func TestDamagedBackupsAreRefused(t *testing.T) {
	w := newWard(t)
	random := rand.New(rand.NewPCG(1, 2))
	parts := w.cluster.parts(t)
	archive := packed(t, parts)
	_, plainNote := w.kept(archive, w.cluster.had())
	sealedPath, sealedNote := w.kept(archive, w.cluster.had(), w.store.Rules.Recipients...)
	forms := map[string]struct {
		content, note []byte
	}{"archive": {archive, plainNote}, "sealed": {readFile(t, sealedPath), sealedNote}}

	// Bits that flipped, and files that were cut off: by the note, and by the cluster's record where the note is lost.
	for form, f := range forms {
		for range 200 {
			bit := random.IntN(8 * len(f.content))
			what := fmt.Sprintf("%s, bit %d", form, bit)
			w.refused(what, w.put(named, flipped(f.content, bit), f.note), nil, "is not what it was")
			w.refused(what+", no note", w.put(named, flipped(f.content, bit), nil), w.records(f.note))
		}
		for range 100 {
			n := random.IntN(len(f.content))
			what := fmt.Sprintf("%s, cut off at %d", form, n)
			w.refused(what, w.put(named, f.content[:n], f.note), nil, "bytes, and had")
			w.refused(what+", no note", w.put(named, f.content[:n], nil), w.records(f.note))
		}
		w.refused(form+", longer", w.put(named, append(bytes.Clone(f.content), 0), f.note), nil, "bytes, and had")
	}

	// The archive is packed anew around a snapshot that is damaged, and all that is known is made anew with it.
	anew := func(what string, change func(map[string][]byte), says ...string) {
		t.Helper()
		p := maps.Clone(parts)
		change(p)
		path, _ := w.kept(packed(t, p), w.cluster.had(), w.store.Rules.Recipients...)
		w.refused(what, path, nil, says...)
	}
	snapshot := parts["etcd-snapshot.db"]
	for range 120 {
		bit := random.IntN(8 * len(snapshot))
		anew(fmt.Sprintf("snapshot, bit %d", bit), func(p map[string][]byte) { p["etcd-snapshot.db"] = flipped(snapshot, bit) },
			"its own checksum")
	}
	for range 60 {
		n := 1 + random.IntN(len(snapshot)-1)
		anew(fmt.Sprintf("snapshot, cut off at %d", n), func(p map[string][]byte) { p["etcd-snapshot.db"] = snapshot[:n] }, "etcd's snapshot")
	}

	// Parts of another cluster, or none.
	other := newCluster(t, "osaka", 4)
	others := other.parts(t)
	for name := range parts {
		if name == "k0s.yaml" {
			continue // a restore takes none where the machine has one, and it has no key in it
		}
		anew("another's "+name, func(p map[string][]byte) { p[name] = others[name] }, "is not the key of", "a backup of osaka",
			"not of one cluster", "another cluster's")
		if name != "etcd-snapshot.db" && name != "pki/ca.key" { // without those it is not even kept
			anew("no "+name, func(p map[string][]byte) { delete(p, name) }, "is not in it")
		}
		if strings.HasPrefix(name, "pki/") {
			anew("empty "+name, func(p map[string][]byte) { p[name] = []byte(" ") }, "it is no PEM")
			anew("no PEM in "+name, func(p map[string][]byte) { p[name] = []byte(strings.ToLower(string(p[name]))) }, "it is no")
		}
	}
	anew("another's CA, with its key", func(p map[string][]byte) {
		p["pki/ca.crt"], p["pki/ca.key"] = others["pki/ca.crt"], others["pki/ca.key"]
	}, "not of one cluster")
	anew("nobody's snapshot", func(p map[string][]byte) { p["etcd-snapshot.db"] = summed(make([]byte, 16384)) }, "no database of etcd's")

	// Data of the same cluster at another time: what was there is not in it.
	for i := range 9 {
		less := newCluster(t, "tokyo-prod", 9)
		less.pki = w.cluster.pki
		less.objects = maps.Clone(w.cluster.objects)
		delete(less.objects, fmt.Sprintf("/registry/secrets/default/s%d", i))
		anew("a secret less", func(p map[string][]byte) { p["etcd-snapshot.db"] = less.snapshot(t) },
			"secrets: 9 were there, and 8 are in the backup")
		delete(less.objects, fmt.Sprintf("/registry/deployments/default/d%d", i))
		anew("and a deployment", func(p map[string][]byte) { p["etcd-snapshot.db"] = less.snapshot(t) }, "deployments: 9 were there, and 8")
	}

	// The wrong key, the wrong site, another backup's note, and notes of former formats.
	sealed := forms["sealed"].content
	right := w.key
	for range 20 {
		w.key, _ = keyFile(t)
		w.refused("another key", w.put(named, sealed, sealedNote), nil, "does not open with that key")
	}
	w.key = ""
	w.refused("no key", w.put(named, sealed, sealedNote), nil, "it is encrypted", "the backup is encrypted")
	w.key = w.put("key.txt", []byte("not a key\n"), nil)
	w.refused("no private key", w.put(named, sealed, sealedNote), nil, "no age private key")
	w.key = right
	for _, site := range []string{"osaka", "tokyo", "tokyo-prod2", "prod"} {
		name := strings.Replace(named, "tokyo-prod", site, 1)
		w.refused("named "+site, w.put(name, sealed, sealedNote), nil, "it is a backup of "+site)
	}
	path, osaka := w.kept(packed(t, others), other.had(), w.store.Rules.Recipients...)
	w.refused("another site's under this one's name", path, nil, "it is a backup of osaka")
	w.refused("another site's note", w.put(named, sealed, osaka), nil, "is not what it was")
	w.site.API.ClusterUID = other.uid
	w.refused("the site has become another cluster", w.put(named, sealed, sealedNote), nil, "another cluster's")
	w.site.API.ClusterUID = ""
	for what, change := range map[string]func(*note){
		"the first format": func(n *note) { n.Format, n.Digest, n.Contents = 1, "", lifecycle.Contents{} },
		"nobody counted":   func(n *note) { n.Contents = lifecycle.Contents{Why: "the API did not answer"} },
	} {
		var n note
		if err := json.Unmarshal(sealedNote, &n); err != nil {
			t.Fatal(err)
		}
		change(&n)
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		w.refused(what, w.put(named, sealed, b), nil, "nobody knows what is to be in")
	}
	w.refused("no note and no record", w.put(named, sealed, nil), nil, "nobody knows what is to be in")
	w.refused("a note that is none", w.put(named, sealed, []byte("{")), nil, "cannot be read")
	for i := range 10 {
		w.refused("a key of encryption that is gone", w.withSealed(parts, fmt.Sprintf("b%d", i)), nil, "a key that the site does not have")
	}
	if w.n < 1000 {
		t.Errorf("only %d were tried", w.n)
	}
	t.Logf("%d damaged backups are refused", w.n)
}

// withSealed is a backup in which a secret is sealed with another key.
func (w *ward) withSealed(parts map[string][]byte, key string) string {
	c := w.cluster
	c.objects = maps.Clone(c.objects)
	c.objects["/registry/secrets/default/s0"] = "k8s:enc:secretbox:v1:" + key + ":0"
	p := maps.Clone(parts)
	p["etcd-snapshot.db"] = c.snapshot(w.t)
	path, _ := w.kept(packed(w.t, p), w.cluster.had())
	return path
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForeignSnapshotsEndNobody: a snapshot with a checksum that fits and with pages that say anything at all is read or refused, and
// nothing else happens. Whether an object in it can be decoded is for the API server to say, which a drill asks for each.
func TestForeignSnapshotsEndNobody(t *testing.T) {
	c := newCluster(t, "tokyo-prod", 9)
	whole := c.snapshot(t)
	db := whole[:len(whole)-32]
	random := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range 1500 {
		b := bytes.Clone(db)
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		b = summed(b)
		if d, err := readSnapshot(bytes.NewReader(b), int64(len(b))); err != nil {
			refused++
		} else if len(d.Contents.Objects) == 0 {
			t.Error("nothing is in it, and it is not refused")
		}
	}
	if refused == 0 {
		t.Error("none was refused")
	}
}

// TestNoRoomIsNoDamage: a snapshot that can't be written says nothing of the backup.
func TestNoRoomIsNoDamage(t *testing.T) {
	w := newWard(t)
	path, _ := w.kept(packed(t, w.cluster.parts(t)), w.cluster.had())
	_, err := Verify(w.site, path, w.key, nil, nil, filepath.Join(t.TempDir(), "missing"), noon)
	if err == nil || !strings.Contains(err.Error(), "can't be written there") {
		t.Errorf("got %v", err)
	}
}
