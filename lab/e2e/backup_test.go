package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// The credentials of the bucket, which reach nothing but it.
const (
	bucketKey    = "planted-access-key"
	bucketSecret = "planted-in-the-bucket's-secret"
)

// bucket is an S3 server on a loopback address, that can be told to give back something else than it was given.
type bucket struct {
	address string
	alters  atomic.Bool
}

func (b *bench) bucket() *bucket {
	b.t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		b.t.Fatal(err)
	}
	s3 := gofakes3.New(backend).Server()
	k := &bucket{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.Header.Get("Authorization"), "Credential="+bucketKey+"/"):
			http.Error(w, "<Error><Code>InvalidAccessKeyId</Code></Error>", http.StatusForbidden)
		case k.alters.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, ".tar.gz"):
			rec := httptest.NewRecorder()
			s3.ServeHTTP(rec, r)
			body := rec.Body.Bytes()
			body[len(body)/2] ^= 1
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(rec.Code)
			_, _ = io.Copy(w, bytes.NewReader(body))
		default:
			s3.ServeHTTP(w, r)
		}
	}))
	b.t.Cleanup(srv.Close)
	k.address = srv.URL
	return k
}

// inJob runs kiban as a pipeline's job does, with the bucket's credentials.
func (b *bench) inJob(args ...string) result {
	b.t.Helper()
	return b.run(8*time.Minute, "/usr/bin/env", append([]string{"CI=true", "KIBAN_SECRET_ACCESS=" + bucketKey,
		"KIBAN_SECRET_KEY=" + bucketSecret, binary(b.t, "KIBAN_BIN", "kiban")}, args...)...)
}

// production makes the site one; its backups go to the bucket, if there is one.
func (b *bench) production(k *bucket) {
	b.t.Helper()
	b.write()
	path := filepath.Join(b.dir, "overlays", "lab", "site.yaml")
	doc, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	to := ""
	if k != nil {
		to = ", keep: 1, to: [{s3: {endpoint: '" + k.address + "', bucket: backups, prefix: lab, region: us-east-1, " +
			"accessKey: {env: KIBAN_SECRET_ACCESS}, secretKey: {env: KIBAN_SECRET_KEY}}}]"
	}
	text := strings.Replace(string(doc), "spec:\n", "spec:\n  backup: {recipients: ["+backupRecipient+"]"+to+"}\n", 1)
	b.file(path, strings.Replace(text, "  name: lab\n", "  name: lab\n  labels: {tier: production}\n", 1))
}

// asInANewJob forgets all that lies beside the fleet, as with a job's container.
func (b *bench) asInANewJob() {
	b.t.Helper()
	if err := os.RemoveAll(filepath.Join(b.dir, ".kiban")); err != nil {
		b.t.Fatal(err)
	}
}

// keptBackup is one of `kiban backup list -o json`.
type keptBackup struct{ Name, Place, Version, Verified string }

func (b *bench) keptBackups() (kept []keptBackup) {
	b.t.Helper()
	r := b.must(0, b.inJob("backup", "list", "lab", "-o", "json"))
	if err := json.Unmarshal([]byte(r.stdout), &kept); err != nil {
		b.t.Fatalf("%v: %s", err, r)
	}
	return kept
}

// In a pipeline, production's controllers are upgraded when the backup is where it outlives the job and has been read back unaltered;
// before that nothing of the site is changed. A run that is carried on keeps the backup from before it. A schedule takes one where there
// is no recent one, retention holds, and the site is restored from there on a machine that has nothing else.
func TestA7_UpgradeInAJobLeavesABackupThatOutlivesIt(t *testing.T) {
	t.Parallel()
	b := start(t, "127.204.5", 3, 1)
	identity := filepath.Join(b.t.TempDir(), "key.txt")
	b.file(identity, backupKey+"\n")
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	var printed []result
	job := func(code int, args ...string) result {
		t.Helper()
		r := b.must(code, b.inJob(args...))
		printed = append(printed, r)
		return r
	}

	b.Version = v136
	b.production(nil)
	m := b.mark()
	b.says(job(3, "apply", "lab", "--yes"), "would be gone with this job", "spec.backup.to")
	b.says(job(1, "backup", "lab", "--scheduled"), "nowhere to go")
	k := b.bucket()
	k.alters.Store(true)
	b.production(k)
	b.says(job(1, "apply", "lab", "--yes"), "the backup that was read back is not the one that was written")
	if c := b.changes(m); strings.Contains(c, "k0scontroller") || strings.Contains(c, "/usr/local/bin/k0s\n") {
		t.Errorf("a controller was changed before its backup was safe:\n%s", c)
	}
	if kept := b.keptBackups(); len(kept) != 1 || kept[0].Place == "" || strings.Contains(kept[0].Place, "s3") {
		t.Errorf("what came back altered counts: %+v", kept)
	}
	k.alters.Store(false)
	b.asInANewJob()

	b.fault("controller-2", "fail", "k0s install")
	job(1, "apply", "lab", "--yes") // the first controller is at the new version by then
	b.mend("controller-2")
	b.asInANewJob()
	job(0, "apply", "lab", "--yes")
	b.asInANewJob()
	kept := b.keptBackups()
	if len(kept) == 0 || kept[len(kept)-1].Version != v135 || kept[len(kept)-1].Verified == "" || len(kept) > 2 {
		t.Fatalf("with keep: 1 there is %+v, and not the one from before the upgrade", kept)
	}
	former := kept[len(kept)-1]
	if r := job(0, "backup", "lab", "--scheduled"); strings.TrimSpace(r.stdout) != "" && kept[0].Version == v136 {
		t.Errorf("a second one within the hour: %s", r)
	}
	if now := b.keptBackups(); len(now) > 2 || now[len(now)-1].Name != former.Name {
		t.Errorf("the way back is lost to a schedule: %+v", now)
	}

	b.destroy("controller-1", "controller-2", "controller-3")
	b.Version = v135
	b.production(k)
	b.asInANewJob()
	job(0, "restore", "lab", "--from", former.Name, "--identity", identity, "--yes")
	cs, _ = b.admin()
	if !b.noted(cs, "before") {
		t.Error("what was written before the upgrade is lost")
	}
	b.allReady(cs, v135)
	b.noSecrets(printed...)
	for where, text := range b.readable(printed) {
		if strings.Contains(text, bucketSecret) {
			t.Errorf("the bucket's secret is in %s", where)
		}
	}
}
