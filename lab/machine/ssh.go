package machine

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// server is a machine's sshd while it has power.
type server struct {
	m        *Machine
	listener net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	// commands are those that run. None is added once closed is set.
	commands sync.WaitGroup
}

// maxSessions is OpenSSH's default: further session channels on one connection are refused.
const maxSessions = 10

func (m *Machine) listen() (*server, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(m.Address, strconv.Itoa(m.port)))
	if err != nil {
		return nil, err
	}
	s := &server{m: m, listener: l, conns: map[net.Conn]struct{}{}}
	go s.accept()
	return s, nil
}

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		go func() {
			s.serve(&delayed{Conn: c, m: s.m})
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// cut ends all connections without a word.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset rather than an orderly end; where that fails the close below does
		}
		c.Close()
	}
}

func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.listener.Close()
	s.cut()
}

func (s *server) config() *ssh.ServerConfig {
	m := s.m
	m.mu.Lock()
	key, refuse := m.key, m.faults.auth
	if m.faults.hostKey != nil {
		key = m.faults.hostKey
	}
	m.mu.Unlock()
	cfg := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
		MaxAuthTries:  6,
		PublicKeyCallback: func(meta ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			_, known := m.shell.Users[meta.User()]
			if refuse || !known || string(k.Marshal()) != string(m.lab.client.Marshal()) {
				return nil, errors.New("key refused")
			}
			return nil, nil
		},
	}
	cfg.AddHostKey(key)
	return cfg
}

func (s *server) serve(c net.Conn) {
	s.m.mu.Lock()
	hang := s.m.faults.hang
	s.m.mu.Unlock()
	if hang {
		_, _ = io.Copy(io.Discard, c) // until the client gives up
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(c, s.config())
	if err != nil {
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for r := range requests {
			if r.WantReply {
				_ = r.Reply(false, nil) // keepalives want any answer; sshd gives this one
			}
		}
	}()
	var open atomic.Int32
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			if open.Add(1) > maxSessions {
				open.Add(-1)
				_ = ch.Reject(ssh.ConnectionFailed, "open failed")
				continue
			}
			go func() {
				defer open.Add(-1)
				s.session(ctx, conn.User(), ch)
			}()
		case "direct-tcpip":
			go s.forward(ctx, ch)
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "unknown channel type")
		}
	}
}

func (s *server) session(ctx context.Context, user string, nc ssh.NewChannel) {
	ch, requests, err := nc.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan int, 1)
	started := false
	for {
		select {
		case status := <-done:
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
			return
		case r, ok := <-requests:
			if !ok {
				return // the client is gone: cancel ends the command, as a hang-up does
			}
			command, runs := "", false
			switch r.Type {
			case "exec":
				var p struct{ Command string }
				if ssh.Unmarshal(r.Payload, &p) == nil {
					command, runs = p.Command, true
				}
			case "shell":
				command, runs = "sh", true
			case "env", "pty-req", "window-change":
				if r.WantReply {
					_ = r.Reply(true, nil)
				}
				continue
			}
			runs = runs && !started
			if r.WantReply {
				_ = r.Reply(runs, nil)
			}
			if runs {
				started = true
				go func() { done <- s.run(ctx, user, command, ch) }()
			}
		}
	}
}

// run runs a command line for a client, unless the machine has lost power.
func (s *server) run(ctx context.Context, user, command string, ch ssh.Channel) int {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 255
	}
	s.commands.Add(1)
	s.mu.Unlock()
	defer s.commands.Done()
	return s.m.Run(ctx, user, command, ch, ch, ch.Stderr())
}

// forward is `ssh -L`: a connection from the machine to somewhere. Its localhost is the machine's address.
func (s *server) forward(ctx context.Context, nc ssh.NewChannel) {
	var p struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &p); err != nil {
		_ = nc.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	switch p.Host {
	case "localhost", "127.0.0.1", "::1":
		p.Host = s.m.Address
	}
	to, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port))))
	if err != nil {
		_ = nc.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	defer to.Close()
	ch, requests, err := nc.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	go ssh.DiscardRequests(requests)
	stop := context.AfterFunc(ctx, func() { to.Close() })
	defer stop()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(ch, to) // either side may end at any time
		_ = ch.CloseWrite()
	}()
	_, _ = io.Copy(to, ch)
	if t, ok := to.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	<-back
}

// counter counts what is read.
type counter struct {
	io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// delayed is a connection over a long line: what the client sends after it was answered arrives late. Bytes that follow each
// other without an answer between them share one delay, so that it is latency and not bandwidth.
type delayed struct {
	net.Conn
	m        *Machine
	last     time.Time
	answered atomic.Bool
}

func (d *delayed) Write(p []byte) (int, error) {
	d.answered.Store(true)
	return d.Conn.Write(p)
}

func (d *delayed) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	d.m.mu.Lock()
	late := d.m.faults.latency
	d.m.mu.Unlock()
	if late > 0 {
		if d.answered.Swap(false) || time.Since(d.last) > late {
			time.Sleep(late)
		}
		d.last = time.Now()
	}
	return n, err
}

// hostKey reads the machine's key from its folder, or makes one.
func hostKey(dir string) (ssh.Signer, error) {
	file := filepath.Join(dir, "ssh_host_ed25519_key")
	if b, err := os.ReadFile(file); err == nil {
		return ssh.ParsePrivateKey(b)
	}
	return newKey(file, "")
}

// newKey makes an ed25519 key, and writes it when a file is given.
func newKey(file, comment string) (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil || file == "" {
		return signer, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	return signer, nil
}
