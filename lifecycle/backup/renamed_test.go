package backup

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestABackupKeepsItsName: a name says which k0s wrote the backup, and a restore goes by it. A whole backup under the name of another
// version or time is refused, and told what it is called; one that its owner called as he likes is not.
func TestABackupKeepsItsName(t *testing.T) {
	w := newWard(t)
	archive := packed(t, w.cluster.parts(t))
	_, note := w.kept(archive, w.cluster.had())
	records := w.records(note)
	for name, says := range map[string]string{
		named:       "",
		"my.tar.gz": "",
		"tokyo-prod-v1.36.3+k0s.2-20261121T120000Z.tar.gz": "as " + named,
		"tokyo-prod-v1.35.7+k0s.0-20261128T120000Z.tar.gz": "as " + named,
		"tokyo-prod-v1.36.3+k0s.2-20261128T120000Z.tar.gz": "as " + named,
	} {
		for _, beside := range [][]byte{note, nil} { // the note may have been given the new name, too
			path := w.put(name, archive, beside)
			if says != "" {
				w.refused(name, path, records, says)
				continue
			}
			if _, err := Verify(w.site, path, w.key, records, nil, t.TempDir(), noon); err != nil {
				t.Errorf("%s: %v %v", name, err, lifecycle.AsDiagnostics(err, "?"))
			}
		}
	}
	// Two backups of a cluster that did not change may be the same archive: each has its name.
	twice := append(w.records(note), w.records(note)...)
	twice[1].Name = strings.Replace(named, "20261121", "20261122", 1)
	if _, err := Verify(w.site, w.put(twice[1].Name, archive, note), w.key, twice, nil, t.TempDir(), noon); err != nil {
		t.Error(err)
	}
}
