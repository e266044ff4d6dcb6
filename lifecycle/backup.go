package lifecycle

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Backup is a backup of a control plane that was found whole.
type Backup struct {
	// Name is its file's, for people. Site and Version are what the name says; empty when it is called otherwise.
	Name    string
	Site    string
	Version Version
	// Digest is "sha256:<hex>" of the archive as k0s wrote it.
	Digest string
}

// KeepBackup keeps a backup of a control plane, which take writes, and says where. It is done when the backup is whole wherever it is to
// be. progress gets a line for whatever takes a while. The error of take is passed on.
type KeepBackup func(ctx context.Context, of ToKeep, take func(io.Writer) error, progress func(string)) (file string, err error)

// ToKeep is what is known of a backup before it is kept.
type ToKeep struct {
	// Version is the one that it leads back to.
	Version Version
	// Behind is a warning that its etcd has no quorum, or is not known to have one, so that it may lack what other members have; nil
	// where it has.
	Behind *Diagnostic
}

// BackupTo is where backups outlive the machine that runs kiban. Exactly one of the fields is set.
type BackupTo struct {
	S3   BackupS3   `json:"s3,omitzero"`
	SFTP BackupSFTP `json:"sftp,omitzero"`
	OCI  BackupOCI  `json:"oci,omitzero"`
	// Folder is an absolute path on the machine that runs kiban: a file system that outlives it, mounted there.
	Folder string `json:"folder,omitempty"`
}

// BackupS3 is a bucket of a server that speaks S3: AWS, MinIO, Ceph, Garage.
type BackupS3 struct {
	// Endpoint is the server: "https://s3.example.com".
	Endpoint string `json:"endpoint"`
	// Region is the bucket's; empty where the server has none.
	Region string `json:"region,omitempty"`
	Bucket string `json:"bucket"`
	// Prefix stands before the names of the backups, with a slash between; empty: they lie at the bucket's top.
	Prefix string `json:"prefix,omitempty"`
	// AccessKey and SecretKey are found where kiban runs.
	AccessKey SecretSource `json:"accessKey"`
	SecretKey SecretSource `json:"secretKey"`
}

// BackupSFTP is a folder of a host that lets SFTP in. Its host key must be in the site's known_hosts file.
type BackupSFTP struct {
	// Address is the host, with ":port" where that is not 22.
	Address string `json:"address"`
	User    string `json:"user"`
	// Folder is an absolute path on the host, which must be there.
	Folder string `json:"folder"`
	// Key is a private key, Password a password. Neither: the SSH agent is asked.
	Key      SecretSource `json:"key,omitzero"`
	Password SecretSource `json:"password,omitzero"`
}

// BackupOCI is a repository of an OCI registry, in which each backup is an artifact of its own.
type BackupOCI struct {
	// Repository is "registry.example.com/backups/tokyo-prod".
	Repository string `json:"repository"`
	// User and Password are found where kiban runs. Neither: the registry lets anybody write.
	User     SecretSource `json:"user,omitzero"`
	Password SecretSource `json:"password,omitzero"`
}

// String names the place for people: "s3://backups/tokyo-prod at s3.example.com".
func (t BackupTo) String() string {
	switch {
	case t.S3 != BackupS3{}:
		_, host, _ := strings.Cut(t.S3.Endpoint, "://")
		return fmt.Sprintf("s3://%s at %s", strings.TrimSuffix(t.S3.Bucket+"/"+t.S3.Prefix, "/"), host)
	case t.SFTP != BackupSFTP{}:
		return fmt.Sprintf("sftp://%s@%s%s", t.SFTP.User, t.SFTP.Address, t.SFTP.Folder)
	case t.OCI != BackupOCI{}:
		return "oci://" + t.OCI.Repository
	}
	return t.Folder
}

// StoredFile is a file in a place that keeps backups.
type StoredFile struct {
	Name string
	// Size is in bytes.
	Size int64
}

// KeptBackup is a backup of a site where it is kept, as `kiban backup list` shows it.
type KeptBackup struct {
	Name string `json:"name"`
	// Place is where it is: a BackupTo in words, or the folder of the machine that runs kiban.
	Place   string  `json:"place"`
	Version Version `json:"version"`
	// Taken is when, in UTC, RFC 3339. Size is in bytes, as it is kept.
	Taken string `json:"taken"`
	Size  int64  `json:"size"`
	// Run is the run that took it, as far as it is known; Recipients are the age public keys that it is encrypted to.
	Run        string   `json:"run,omitempty"`
	Encrypted  bool     `json:"encrypted"`
	Recipients []string `json:"recipients,omitempty"`
	// Verified is when it was read back from there and found the same, in UTC, RFC 3339; empty: it never was. SHA256 is what it was then.
	Verified string `json:"verified,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	// Digest is "sha256:<hex>" of the archive as k0s wrote it, Contents what the cluster had then; both as its note says.
	Digest   string   `json:"digest,omitempty"`
	Contents Contents `json:"contents,omitzero"`
	// Proven is the last restore of it in a lab that went through; nil: none is known.
	Proven *Proof `json:"proven,omitempty"`
}
