package site

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestBackupTo: what a Site says of its places for backups is what a Site has.
func TestBackupTo(t *testing.T) {
	fleet := sampleFleet(t, "")
	file := filepath.Join(fleet, "overlays", "tokyo", "site.yaml")
	if err := os.WriteFile(file, []byte(`apiVersion: kiban.dev/v1alpha1
kind: Site
metadata: {name: tokyo, labels: {tier: production}}
spec:
  wave: 2
  backup:
    recipients: [age1a]
    to:
    - s3: {endpoint: "https://s3.example.com:9000", region: eu-west-1, bucket: backups, prefix: clusters/tokyo,
        accessKey: {env: KIBAN_SECRET_A}, secretKey: {fileEnv: KIBAN_SECRET_B}}
    - sftp: {address: "backup.example.com:2222", user: kiban, folder: /srv/backups, key: {fileEnv: KIBAN_SECRET_KEY}}
    - sftp: {address: 10.0.0.7, user: kiban, folder: /srv/backups, password: {env: KIBAN_SECRET_P}}
    - oci: {repository: "registry.example.com:5000/backups/tokyo", user: {env: KIBAN_SECRET_U}, password: {env: KIBAN_SECRET_W}}
    - folder: /mnt/backups/tokyo
`), 0o644); err != nil {
		t.Fatal(err)
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	env := func(name string) lifecycle.SecretSource { return lifecycle.SecretSource{Env: name} }
	want := []lifecycle.BackupTo{
		{S3: lifecycle.BackupS3{Endpoint: "https://s3.example.com:9000", Region: "eu-west-1", Bucket: "backups", Prefix: "clusters/tokyo",
			AccessKey: env("KIBAN_SECRET_A"), SecretKey: lifecycle.SecretSource{FileEnv: "KIBAN_SECRET_B"}}},
		{SFTP: lifecycle.BackupSFTP{Address: "backup.example.com:2222", User: "kiban", Folder: "/srv/backups",
			Key: lifecycle.SecretSource{FileEnv: "KIBAN_SECRET_KEY"}}},
		{SFTP: lifecycle.BackupSFTP{Address: "10.0.0.7", User: "kiban", Folder: "/srv/backups", Password: env("KIBAN_SECRET_P")}},
		{OCI: lifecycle.BackupOCI{Repository: "registry.example.com:5000/backups/tokyo", User: env("KIBAN_SECRET_U"),
			Password: env("KIBAN_SECRET_W")}},
		{Folder: "/mnt/backups/tokyo"},
	}
	if len(s.Backup.To) != len(want) {
		t.Fatalf("got %+v", s.Backup.To)
	}
	for i, to := range s.Backup.To {
		if to != want[i] {
			t.Errorf("got %+v, want %+v", to, want[i])
		}
	}
	for i, name := range []string{"s3://backups/clusters/tokyo at s3.example.com:9000", "sftp://kiban@backup.example.com:2222/srv/backups",
		"sftp://kiban@10.0.0.7/srv/backups", "oci://registry.example.com:5000/backups/tokyo", "/mnt/backups/tokyo"} {
		if got := want[i].String(); got != name {
			t.Errorf("it is called %q, want %q", got, name)
		}
	}
}
