package depot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"

	"kiban.dev/kiban/lifecycle"
)

// repository is one of an OCI registry. Each file is an artifact with one layer; its tag is the file's name.
type repository struct{ *remote.Repository }

const artifactType = "application/vnd.kiban.backup.v1"

func openOCI(to lifecycle.BackupOCI, opts Options) (*repository, error) {
	r, err := remote.NewRepository(to.Repository)
	if err != nil {
		return nil, err
	}
	client := &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache()}
	if (to.User != lifecycle.SecretSource{}) {
		user, err := secret(opts, to.User, "the user of the registry")
		if err != nil {
			return nil, err
		}
		password, err := secret(opts, to.Password, "the password of the registry")
		if err != nil {
			return nil, err
		}
		client.Credential = auth.StaticCredential(r.Reference.Registry, auth.Credential{Username: user, Password: password})
	}
	r.Client, r.PlainHTTP = client, onThisMachine(r.Reference.Registry)
	return &repository{r}, nil
}

// onThisMachine reports whether a registry's address is a loopback one: only there it may do without TLS.
func onThisMachine(registry string) bool {
	host, _, err := net.SplitHostPort(registry)
	if err != nil {
		host = registry
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// tagOf is a name as a tag: a tag has no plus sign. No name of a backup has two underscores in a row.
func tagOf(name string) string { return strings.ReplaceAll(name, "+", "__") }
func nameOf(tag string) string { return strings.ReplaceAll(tag, "__", "+") }

// put pushes the content as a blob, whose digest must be known before; then the manifest, which makes it a file, and its tag.
func (r *repository) put(ctx context.Context, name string, content io.Reader, size int64) error {
	layer, body, err := describe(content, size)
	if err != nil {
		return err
	}
	layer.MediaType, layer.Annotations = "application/octet-stream", map[string]string{ocispec.AnnotationTitle: name}
	if there, err := r.Blobs().Exists(ctx, layer); err != nil {
		return err
	} else if !there {
		if err := r.Blobs().Push(ctx, layer, body); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
			return err
		}
	}
	empty := ocispec.DescriptorEmptyJSON
	if err := r.Blobs().Push(ctx, empty, bytes.NewReader(empty.Data)); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		return err
	}
	empty.Data = nil
	manifest, err := json.Marshal(ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType, Config: empty, Layers: []ocispec.Descriptor{layer}})
	if err != nil {
		return err
	}
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}
	return r.Manifests().PushReference(ctx, d, bytes.NewReader(manifest), tagOf(name))
}

// describe learns the digest of a content that can be read twice.
func describe(content io.Reader, size int64) (ocispec.Descriptor, io.Reader, error) {
	var seek io.Seeker
	if r, ok := content.(*reader); ok {
		seek, _ = r.Reader.(io.Seeker)
	}
	if seek == nil {
		return ocispec.Descriptor{}, nil, errors.New("its content cannot be read twice")
	}
	sum := digest.Canonical.Digester()
	n, err := io.Copy(sum.Hash(), content)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes came, %d were announced", n, size)
	}
	if err == nil {
		_, err = seek.Seek(0, io.SeekStart)
	}
	return ocispec.Descriptor{Digest: sum.Digest(), Size: size}, content, err
}

// layer is the content of the file.
func (r *repository) layer(ctx context.Context, name string) (manifest, layer ocispec.Descriptor, err error) {
	manifest, body, err := r.Manifests().FetchReference(ctx, tagOf(name))
	if errors.Is(err, errdef.ErrNotFound) {
		return manifest, layer, errMissing
	}
	if err != nil {
		return manifest, layer, err
	}
	defer body.Close()
	var m ocispec.Manifest
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(&m); err != nil {
		return manifest, layer, err
	}
	if m.ArtifactType != artifactType || len(m.Layers) != 1 {
		return manifest, layer, fmt.Errorf("%s is not one of kiban's", tagOf(name))
	}
	return manifest, m.Layers[0], nil
}

func (r *repository) open(ctx context.Context, name string) (io.ReadCloser, error) {
	_, layer, err := r.layer(ctx, name)
	if err != nil {
		return nil, err
	}
	return r.Blobs().Fetch(ctx, layer)
}

func (r *repository) list(ctx context.Context) ([]lifecycle.StoredFile, error) {
	var names []string
	err := r.Tags(ctx, "", func(tags []string) error {
		for _, t := range tags {
			names = append(names, nameOf(t))
		}
		return nil
	})
	if res, ok := errors.AsType[*errcode.ErrorResponse](err); ok && res.StatusCode == http.StatusNotFound {
		return nil, nil // a repository begins with its first tag
	}
	var out []lifecycle.StoredFile
	for _, name := range names {
		_, layer, layerErr := r.layer(ctx, name)
		switch {
		case errors.Is(layerErr, errMissing):
		case layerErr != nil && ctx.Err() != nil:
			return nil, layerErr
		case layerErr == nil: // others are somebody else's
			out = append(out, lifecycle.StoredFile{Name: name, Size: layer.Size})
		}
	}
	return out, err
}

func (r *repository) remove(ctx context.Context, name string) error {
	manifest, _, err := r.layer(ctx, name)
	if errors.Is(err, errMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.Manifests().Delete(ctx, manifest); err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	return nil
}
