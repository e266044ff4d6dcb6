package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// host is a folder of a host, by SFTP. Each file is a connection of its own: a backup takes longer than what a firewall lets idle.
type host struct {
	address string
	folder  string
	config  *ssh.ClientConfig
	agent   string
}

func openSFTP(to lifecycle.BackupSFTP, opts Options) (*host, error) {
	h := &host{address: to.Address, folder: to.Folder}
	if _, _, err := net.SplitHostPort(to.Address); err != nil {
		h.address = net.JoinHostPort(strings.Trim(to.Address, "[]"), "22")
	}
	known, err := knownhosts.New(opts.KnownHosts)
	if err != nil {
		return nil, fmt.Errorf("the known_hosts file: %w", err)
	}
	h.config = &ssh.ClientConfig{User: to.User, HostKeyCallback: known, HostKeyAlgorithms: keyAlgorithms(known, h.address)}
	if len(h.config.HostKeyAlgorithms) == 0 {
		return nil, fmt.Errorf("no host key of %s is in the known_hosts file %s", to.Address, opts.KnownHosts)
	}
	switch {
	case to.Key != lifecycle.SecretSource{}:
		pem, err := secret(opts, to.Key, "the SSH key of the host")
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey([]byte(pem + "\n"))
		if err != nil {
			return nil, errors.New("what is given as the host's SSH key is no private key without a passphrase")
		}
		h.config.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	case to.Password != lifecycle.SecretSource{}:
		password, err := secret(opts, to.Password, "the password of the host")
		if err != nil {
			return nil, err
		}
		h.config.Auth = []ssh.AuthMethod{ssh.Password(password)}
	case opts.Agent == "":
		return nil, errors.New("there is neither a key nor a password for it, and no SSH agent (SSH_AUTH_SOCK)")
	default:
		h.agent = opts.Agent
	}
	return h, nil
}

// keyAlgorithms are those of the keys that known_hosts has of the host: another kind of key, which a server may offer first, would only be
// an unknown one.
func keyAlgorithms(known ssh.HostKeyCallback, address string) []string {
	var unknown *knownhosts.KeyError
	if err := known(address, &net.TCPAddr{}, noKey{}); !errors.As(err, &unknown) {
		return nil
	}
	var out []string
	for _, k := range unknown.Want {
		if kind := k.Key.Type(); kind == ssh.KeyAlgoRSA {
			out = append(out, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			out = append(out, kind)
		}
	}
	return out
}

// noKey is a host key that no file has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("it is no key") }

// session is a connection to the host, which ends with its context.
type session struct {
	*sftp.Client
	end func()
}

func (h *host) dial(ctx context.Context) (*session, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // whatever waits on it fails
	s := &session{end: func() { stop(); _ = conn.Close() }}     // what was written is synced and renamed by then
	config := *h.config
	if h.agent != "" {
		socket, err := (&net.Dialer{}).DialContext(ctx, "unix", h.agent)
		if err != nil {
			s.end()
			return nil, fmt.Errorf("the SSH agent: %w", err)
		}
		end := s.end
		s.end = func() { _ = socket.Close(); end() }
		config.Auth = []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(socket).Signers)}
	}
	c, channels, requests, err := ssh.NewClientConn(conn, h.address, &config)
	if err != nil {
		s.end()
		return nil, err
	}
	if s.Client, err = sftp.NewClient(ssh.NewClient(c, channels, requests)); err != nil {
		s.end()
		return nil, fmt.Errorf("it lets no SFTP in: %w", err)
	}
	return s, nil
}

func (h *host) put(ctx context.Context, name string, content io.Reader, size int64) (err error) {
	s, err := h.dial(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	tmp, final := path.Join(h.folder, ".new-"+name), path.Join(h.folder, name)
	f, err := s.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.Remove(tmp) // the next attempt overwrites it as well
		}
	}()
	n, err := io.Copy(writer{f}, content)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes came, %d were announced", n, size)
	}
	if _, can := s.HasExtension("fsync@openssh.com"); can && err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.Chmod(tmp, 0o600)
	}
	if err != nil {
		return err
	}
	if _, can := s.HasExtension("posix-rename@openssh.com"); can {
		return s.PosixRename(tmp, final)
	}
	if err := s.Remove(final); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.Rename(tmp, final)
}

// writer is a remote file's Write alone. Its ReadFrom, which io.Copy would take, forgets that the write of the last piece failed
// (pkg/sftp v1.13.10), so a full disk would be a success.
type writer struct{ f *sftp.File }

func (w writer) Write(p []byte) (int, error) { return w.f.Write(p) }

func (h *host) open(ctx context.Context, name string) (io.ReadCloser, error) {
	s, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.Open(path.Join(h.folder, name))
	if err != nil {
		s.end()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMissing
		}
		return nil, err
	}
	return &remoteFile{f, s}, nil
}

// remoteFile is a file of the host, and the connection that it is read through.
type remoteFile struct {
	*sftp.File
	s *session
}

func (f *remoteFile) Close() error {
	err := f.File.Close()
	f.s.end()
	return err
}

func (h *host) list(ctx context.Context) ([]lifecycle.StoredFile, error) {
	s, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer s.end()
	entries, err := s.ReadDirContext(ctx, h.folder)
	if err != nil {
		return nil, err
	}
	var out []lifecycle.StoredFile
	for _, e := range entries {
		if e.Mode().IsRegular() {
			out = append(out, lifecycle.StoredFile{Name: e.Name(), Size: e.Size()})
		}
	}
	return out, nil
}

func (h *host) remove(ctx context.Context, name string) error {
	s, err := h.dial(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.Remove(path.Join(h.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
