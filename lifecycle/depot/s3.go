package depot

import (
	"context"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kiban.dev/kiban/lifecycle"
)

// bucket is a bucket of a server that speaks S3, below a prefix.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // with its slash, or ""
}

// attempts is how often a request is tried: a server that restarts is back by then.
const attempts = 4

func openS3(to lifecycle.BackupS3, opts Options) (*bucket, error) {
	access, err := secret(opts, to.AccessKey, "the access key of the bucket")
	if err != nil {
		return nil, err
	}
	key, err := secret(opts, to.SecretKey, "the secret key of the bucket")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(to.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:      credentials.NewStaticV4(access, key, ""),
		Secure:     u.Scheme != "http",
		Region:     to.Region,
		MaxRetries: attempts,
		Transport:  opts.transport,
	})
	b := &bucket{client: client, name: to.Bucket}
	if to.Prefix != "" {
		b.prefix = strings.Trim(to.Prefix, "/") + "/"
	}
	return b, err
}

func (b *bucket) put(ctx context.Context, name string, content io.Reader, size int64) error {
	_, err := b.client.PutObject(ctx, b.name, b.prefix+name, content, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return err
}

func (b *bucket) open(ctx context.Context, name string) (io.ReadCloser, error) {
	object, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	if _, err := object.Stat(); err != nil { // nothing was asked before
		_ = object.Close()
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, errMissing
		}
		return nil, err
	}
	return object, nil
}

func (b *bucket) list(ctx context.Context) ([]lifecycle.StoredFile, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when this returns early
	defer cancel()
	var out []lifecycle.StoredFile
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix}) {
		if o.Err != nil {
			return nil, o.Err
		}
		if name := strings.TrimPrefix(o.Key, b.prefix); name != "" && name == path.Base(name) && !strings.HasSuffix(o.Key, "/") {
			out = append(out, lifecycle.StoredFile{Name: name, Size: o.Size})
		}
	}
	return out, nil
}

func (b *bucket) remove(ctx context.Context, name string) error {
	return b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{})
}
