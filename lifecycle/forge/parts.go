package forge

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Parts reads what the parts of a pipeline left that was too large for one.
type Parts interface {
	// EachPart gives what each part gathered, a packed tar. The findings are of parts that left nothing.
	EachPart(ctx context.Context, project string, pipeline int64, each func(packed []byte) error) (lifecycle.Diagnostics, error)
}

// WriteParts writes the parts of a pipeline into a folder, unless they are others than the pipeline expects that starts them: it would
// start some of them, and others not.
func WriteParts(dir string, parts []lifecycle.PipelinePart, expect string) error {
	if is := lifecycle.PartsDigest(parts); expect != "" && is != expect {
		return lifecycle.Errorf(dir, "the parts of the pipeline are no longer those that it was made for").
			Because(fmt.Sprintf("They are %s, and %s was expected. The image of the jobs may be another one by now.", is, expect)).
			Try("Start a new pipeline, or retry the job that generated this one.")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, one := range parts {
		if err := os.WriteFile(filepath.Join(dir, one.File), []byte(one.Content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readToken is the variable with the token that reads what parts left: one that may read plans, and change nothing.
const readToken = "KIBAN_GITLAB_READ_TOKEN"

// Gather puts what the parts of this job's pipeline left into the folders of plans, soaks and rehearsals, by their names there. "" is a
// folder that nobody asks for. The findings are of parts that left nothing: their sites have no plan.
func Gather(
	ctx context.Context, folders map[string]string, getenv func(string) string, open func(lifecycle.ForgeServer) (Parts, error),
) (lifecycle.Diagnostics, error) {
	at := ProjectOf(getenv)
	at.Token = cmp.Or(getenv(readToken), at.Token)
	pipeline, err := strconv.ParseInt(getenv("CI_PIPELINE_ID"), 10, 64)
	if err != nil || at.Name == "" || at.URL == "" {
		return nil, lifecycle.Errorf("", "there is no pipeline whose parts could be read").
			Because("CI_PIPELINE_ID, CI_PROJECT_ID or CI_API_V4_URL is not set: this is no job of GitLab's.").
			Try("Leave --parts out: the plans are in the folder then.")
	}
	f, err := open(at.ForgeServer)
	if err != nil {
		return nil, err
	}
	ds, err := f.EachPart(ctx, at.Name, pipeline, func(packed []byte) error { return unpack(packed, folders) })
	if err != nil && getenv(readToken) == "" {
		err = lifecycle.Errorf("", "the plans of the pipeline's parts could not be read").From(err).
			Try("Make a project access token with the scope read_api and the role Developer, and store it as the variable " + readToken +
				", masked and not protected. `kiban explain docs/gitlab-reference.md` says why.")
	}
	return ds, err
}

// maxUnpacked is how many bytes one part may come to.
const maxUnpacked = 2 << 30

// unpack writes the files of a part into folders: plain files with a site's name, and nothing else.
func unpack(packed []byte, folders map[string]string) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return damaged(err)
	}
	limited := &io.LimitedReader{R: z, N: maxUnpacked}
	t := tar.NewReader(limited)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) && limited.N > 0 {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		folder, name := path.Split(path.Clean(h.Name))
		into := folders[strings.TrimSuffix(folder, "/")]
		base, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
		if h.Typeflag != tar.TypeReg || into == "" || !plainName.MatchString(base) || !slices.Contains([]string{".json", ".html"}, ext) {
			continue
		}
		if err := unpackFile(filepath.Join(into, name), t); err != nil {
			return err
		}
	}
}

func unpackFile(file string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, from); err != nil {
		err = damaged(err)
	}
	return errors.Join(err, out.Close())
}

func damaged(err error) error {
	return lifecycle.Errorf("", "what a part of the pipeline gathered can't be read").Because(fmt.Sprint(err) + ".").
		Try("Retry that part's job \"gather\", then this one.").Hiding(err)
}
