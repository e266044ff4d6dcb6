package depot

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// sftpHost is a real SFTP server over SSH, on a loopback address.
type sftpHost struct {
	key          ssh.Signer
	login        ssh.PublicKey
	deny, silent atomic.Bool
	full, fills  atomic.Bool
}

func signer(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return s, pem.EncodeToMemory(block)
}

func sftpPlace(t *testing.T) place {
	login, text := signer(t)
	return (&sftpHost{login: login.PublicKey()}).at(t, text)
}

// at lets the host serve, and gives it as a place that logs in with the key.
func (h *sftpHost) at(t *testing.T, key []byte) place {
	t.Helper()
	h.key, _ = signer(t)
	l := silence(t)
	go h.serve(l)
	dir := t.TempDir()
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{knownhosts.Normalize(l.Addr().String())}, h.key.PublicKey())
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return place{
		to: lifecycle.BackupTo{SFTP: lifecycle.BackupSFTP{Address: l.Addr().String(), User: "kiban", Folder: dir,
			Key: lifecycle.SecretSource{Env: "KEY"}}},
		opts:   Options{KnownHosts: known, Secret: secrets(map[string]string{"KEY": strings.TrimSpace(string(key))})},
		deny:   func() { h.deny.Store(true) },
		full:   func() { h.full.Store(true) },
		silent: func() { h.silent.Store(true) },
	}
}

func (h *sftpHost) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if !h.silent.Load() {
			go h.session(conn)
		}
	}
}

func (h *sftpHost) session(conn net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if h.deny.Load() || !bytes.Equal(key.Marshal(), h.login.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(h.key)
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		if h.full.Load() || h.fills.Load() {
			handlers := sftp.InMemHandler()
			handlers.FilePut = fullDisk{opens: h.fills.Load()}
			_ = sftp.NewRequestServer(channel, handlers).Serve()
			continue
		}
		server, err := sftp.NewServer(channel)
		if err != nil {
			return
		}
		_ = server.Serve()
	}
}

// fullDisk takes no file, or, as disks do, only refuses what is to be written to it.
type fullDisk struct{ opens bool }

var errFull = errors.New("write: no space left on device")

func (d fullDisk) Filewrite(*sftp.Request) (io.WriterAt, error) {
	if d.opens {
		return d, nil
	}
	return nil, errFull
}

func (fullDisk) WriteAt([]byte, int64) (int, error) { return 0, errFull }

// TestAFailedWriteIsNoSuccess: a host that opens the file and takes nothing of its content has not stored it, whatever the content's size:
// less than a packet, one exactly, and a last piece.
func TestAFailedWriteIsNoSuccess(t *testing.T) {
	for _, size := range []int{1, 100, 1 << 15, 1<<15 + 1, 100_000} {
		login, text := signer(t)
		h := &sftpHost{login: login.PublicKey()}
		h.fills.Store(true)
		d := h.at(t, text).open(t)
		err := d.Put(t.Context(), "a.tar.gz", bytes.NewReader(make([]byte, size)), int64(size))
		told, ok := errors.AsType[lifecycle.Diagnostic](err)
		if !ok || !strings.Contains(told.Hint, "Make room") {
			t.Errorf("%d bytes on a full disk: %v", size, err)
		}
	}
}

// TestHostKeyIsStrict: a host whose key is not in the overlay's known_hosts gets nothing, and neither does one with another key.
func TestHostKeyIsStrict(t *testing.T) {
	p := sftpPlace(t)
	other, _ := signer(t)
	line := knownhosts.Line([]string{knownhosts.Normalize(p.to.SFTP.Address)}, other.PublicKey())
	if err := os.WriteFile(p.opts.KnownHosts, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := p.open(t).Put(t.Context(), "a", strings.NewReader("x"), 1)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Hint, "known_hosts") {
		t.Errorf("another key: %+v", d)
	}
	if err := os.WriteFile(p.opts.KnownHosts, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(p.to, p.opts); err == nil || !strings.Contains(err.Error(), "no host key of") {
		t.Errorf("no key: %v", err)
	}
}
