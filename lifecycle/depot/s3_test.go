package depot

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"kiban.dev/kiban/lifecycle"
)

// s3Place is a bucket of a real S3 server that lives in memory. It looks at no signature, so credentials are refused before it.
func s3Place(t *testing.T) place {
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	server, fake := &troubled{}, gofakes3.New(backend).Server()
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=access/") {
			refuse(w, http.StatusForbidden, "InvalidAccessKeyId")
			return
		}
		fake.ServeHTTP(w, r)
	})
	srv := httptest.NewTLSServer(server)
	t.Cleanup(srv.Close)
	key, secret := "access", "secret"
	return place{
		to: lifecycle.BackupTo{S3: lifecycle.BackupS3{Endpoint: srv.URL, Bucket: "backups", Prefix: "clusters/tokyo", Region: "us-east-1",
			AccessKey: lifecycle.SecretSource{Env: "A"}, SecretKey: lifecycle.SecretSource{Env: "B"}}},
		opts: Options{Secret: secrets(map[string]string{"A": key, "B": secret}), transport: srv.Client().Transport},
		deny: func() {
			server.trouble = func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "SignatureDoesNotMatch") }
		},
		full: func() {
			server.trouble = func(w http.ResponseWriter, _ *http.Request) { refuse(w, 507, "XMinioStorageFull") }
		},
		silent: server.silent(t),
	}
}

// refuse answers as S3 servers do.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>refused: %s</Message></Error>`, code, code)
}
