package site

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// backupToSpec is where backups go. What the fields mean stands in package lifecycle.
type backupToSpec struct {
	S3     *s3Spec   `yaml:"s3"`
	SFTP   *sftpSpec `yaml:"sftp"`
	OCI    *ociSpec  `yaml:"oci"`
	Folder string    `yaml:"folder"`
}

type s3Spec struct {
	Endpoint  string     `yaml:"endpoint"`
	Region    string     `yaml:"region"`
	Bucket    string     `yaml:"bucket"`
	Prefix    string     `yaml:"prefix"`
	AccessKey sourceSpec `yaml:"accessKey"`
	SecretKey sourceSpec `yaml:"secretKey"`
}

type sftpSpec struct {
	Address  string      `yaml:"address"`
	User     string      `yaml:"user"`
	Folder   string      `yaml:"folder"`
	Key      *sourceSpec `yaml:"key"`
	Password *sourceSpec `yaml:"password"`
}

type ociSpec struct {
	Repository string      `yaml:"repository"`
	User       *sourceSpec `yaml:"user"`
	Password   *sourceSpec `yaml:"password"`
}

func (b backupSpec) backups() lifecycle.Backups {
	out := lifecycle.Backups{Recipients: b.Recipients, Keep: b.Keep, KeepFor: time.Duration(b.KeepFor), Proven: time.Duration(b.Proven)}
	for _, to := range b.To {
		out.To = append(out.To, to.to())
	}
	return out
}

func (t backupToSpec) to() lifecycle.BackupTo {
	out := lifecycle.BackupTo{Folder: t.Folder}
	if s := t.S3; s != nil {
		out.S3 = lifecycle.BackupS3{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix,
			AccessKey: s.AccessKey.source(), SecretKey: s.SecretKey.source()}
	}
	if s := t.SFTP; s != nil {
		out.SFTP = lifecycle.BackupSFTP{Address: s.Address, User: s.User, Folder: s.Folder, Key: maybe(s.Key), Password: maybe(s.Password)}
	}
	if s := t.OCI; s != nil {
		out.OCI = lifecycle.BackupOCI{Repository: s.Repository, User: maybe(s.User), Password: maybe(s.Password)}
	}
	return out
}

// maybe is a source that need not be given.
func maybe(s *sourceSpec) lifecycle.SecretSource {
	if s == nil {
		return lifecycle.SecretSource{}
	}
	return s.source()
}
