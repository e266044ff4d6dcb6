package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Options are what places need beside their declaration.
type Options struct {
	// Secret finds a credential; false: it is not here.
	Secret func(lifecycle.SecretSource) (value []byte, here bool, err error)
	// KnownHosts is the file that an SFTP host's key must be in.
	KnownHosts string
	// Agent is the socket of an SSH agent; "" when there is none.
	Agent string
	// Silence is how long a place may take without a byte going to it or coming from it. Default a minute.
	Silence time.Duration

	transport http.RoundTripper // of HTTPS; nil: the usual one
}

// Depot is one place. Each of its methods ends when the place has been silent for too long.
type Depot struct {
	to      lifecycle.BackupTo
	kind    kind
	silence time.Duration
}

// kind is what differs between the kinds of places. A name has no slash in it. A file that is there is whole: put makes it at once or not
// at all, and in the place of one of the same name. Of a name that is not there, open's error is errMissing, and remove has none.
type kind interface {
	put(ctx context.Context, name string, content io.Reader, size int64) error
	open(ctx context.Context, name string) (io.ReadCloser, error)
	list(ctx context.Context) ([]lifecycle.StoredFile, error)
	remove(ctx context.Context, name string) error
}

var errMissing = errors.New("there is no such file")

// Open makes ready to speak to a place. Its credentials are looked up; nothing is dialled yet.
func Open(to lifecycle.BackupTo, opts Options) (*Depot, error) {
	if opts.Silence <= 0 {
		opts.Silence = time.Minute
	}
	d := &Depot{to: to, silence: opts.Silence}
	var err error
	switch {
	case to.S3 != lifecycle.BackupS3{}:
		d.kind, err = openS3(to.S3, opts)
	case to.SFTP != lifecycle.BackupSFTP{}:
		d.kind, err = openSFTP(to.SFTP, opts)
	case to.OCI != lifecycle.BackupOCI{}:
		d.kind, err = openOCI(to.OCI, opts)
	case to.Folder != "":
		d.kind = folder(to.Folder)
	default:
		err = errors.New("nothing is declared of it")
	}
	if err != nil {
		return nil, d.failed("the place for backups cannot be used", err)
	}
	return d, nil
}

// String names the place for people.
func (d *Depot) String() string { return d.to.String() }

// Put stores a file of that size under a name, in the place of one that has it.
func (d *Depot) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	w := d.watch(ctx)
	defer w.stop()
	err := w.wait(func() error { return d.kind.put(w, name, &reader{content, w.touch}, size) })
	return d.failed("the backup cannot be written to "+d.String(), err)
}

// Open reads a file. fs.ErrNotExist is behind the error when it is not there.
func (d *Depot) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	w := d.watch(ctx)
	var r io.ReadCloser
	err := w.wait(func() (err error) { r, err = d.kind.open(w, name); return err })
	if err != nil {
		w.stop()
		return nil, d.failed("the backup cannot be read from "+d.String(), err)
	}
	return &opened{r, w, d}, nil
}

// List gives the files that are there.
func (d *Depot) List(ctx context.Context) ([]lifecycle.StoredFile, error) {
	w := d.watch(ctx)
	defer w.stop()
	var files []lifecycle.StoredFile
	err := w.wait(func() (err error) { files, err = d.kind.list(w); return err })
	if err != nil {
		return nil, d.failed("what is kept in "+d.String()+" cannot be listed", err)
	}
	return files, nil
}

// Remove removes a file. One that is not there is removed already.
func (d *Depot) Remove(ctx context.Context, name string) error {
	w := d.watch(ctx)
	defer w.stop()
	return d.failed("a backup cannot be removed from "+d.String(), w.wait(func() error { return d.kind.remove(w, name) }))
}

// failed makes an error one that says where and what to do.
func (d *Depot) failed(summary string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, ok := errors.AsType[lifecycle.Diagnostic](err); ok {
		return err
	}
	return lifecycle.Errorf(d.String(), "%s", summary).From(err).Try(hint(err))
}

// hint says what to do about an error, as far as its words tell what it is.
func hint(err error) string {
	text := strings.ToLower(err.Error())
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case errors.Is(err, errSilent):
		return "Look at the way to it (firewall, proxy, address), and at whether it is up; then run the same command again."
	case errors.Is(err, errMissing):
		return "`kiban backup list` shows what is there."
	case has("no space left", "quota", "insufficient storage", "507", "storage full", "storagefull"):
		return "Make room there, or let spec.backup.keep hold fewer; then run the same command again."
	case has("denied", "unauthorized", "forbidden", "403", "401", "invalidaccesskey", "signaturedoesnotmatch", "unable to authenticate"):
		return "Check the credentials that spec.backup.to names, and what they may do there: write, read, list, and remove for retention."
	case has("knownhosts", "host key", "known_hosts"):
		return "Compare the host's key with its own (ssh-keyscan), and put it into the site's known_hosts file."
	case has("x509", "certificate"):
		return "Let the machine that runs kiban trust the server's CA: SSL_CERT_FILE, or the system's certificates."
	case has("nosuchbucket", "does not exist", "not exist", "no such file"):
		return "Make it there; kiban makes neither buckets nor folders outside of a mount that is missing."
	}
	return "See to the place, or take it out of spec.backup.to; then run the same command again."
}

// secret is a credential that a place cannot do without.
func secret(opts Options, src lifecycle.SecretSource, what string) (string, error) {
	value, here, err := []byte(nil), false, error(nil)
	if opts.Secret != nil {
		value, here, err = opts.Secret(src)
	}
	if err != nil {
		return "", fmt.Errorf("%s (%s): %w", what, src, err)
	}
	if !here || len(value) == 0 {
		return "", lifecycle.Errorf(src.String(), "%s is not here", what).
			Because("spec.backup.to of the Site says that it is " + src.String() + ".").
			Try("Set it where kiban runs; in GitLab: a variable that is masked and protected, for this site's environment.")
	}
	return string(value), nil
}
