package machine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Kinds of Record.
const (
	// KindCommand is a command line that a machine was sent, recorded when it ended.
	KindCommand = "command"
	// KindChange is an alteration of a machine's disk by a command.
	KindChange = "change"
	// KindService is a service that was started or stopped.
	KindService = "service"
	// KindEvent is what happened by itself or by a fault: a service that exited, power.
	KindEvent = "event"
)

// Record is one line of commands.jsonl.
type Record struct {
	Kind    string    `json:"kind"`
	Time    time.Time `json:"time"`
	Machine string    `json:"machine"`
	User    string    `json:"user,omitempty"`
	// Command is the command line as it was sent; on a change, the one that caused it.
	Command string `json:"command,omitempty"`
	// Stdin is how many bytes came with the command, Status its exit status, Millis how long it took.
	Stdin  int64 `json:"stdin,omitempty"`
	Status int   `json:"status"`
	Millis int64 `json:"ms"`
	// What and Path tell a change, service or event: "write /etc/k0s/k0s.yaml", "start k0scontroller".
	What string `json:"what,omitempty"`
	Path string `json:"path,omitempty"`
}

// IsChange reports whether the record tells that something on the machine was altered on purpose.
func (r Record) IsChange() bool { return r.Kind == KindChange || r.Kind == KindService }

// String is the record as one line of text.
func (r Record) String() string {
	at := r.Time.UTC().Format("15:04:05.000")
	if r.Kind == KindCommand {
		return fmt.Sprintf("%s %s %s rc=%d %dms stdin=%d | %s", at, r.Machine, r.User, r.Status, r.Millis, r.Stdin, oneLine(r.Command, 400))
	}
	s := fmt.Sprintf("%s %s %s %s", at, r.Machine, r.What, r.Path)
	if r.Command != "" {
		s += " | " + oneLine(r.Command, 160)
	}
	return s
}

func oneLine(s string, most int) string {
	b := []byte(s)
	for i, ch := range b {
		if ch == '\n' || ch == '\t' {
			b[i] = ' '
		}
	}
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}

// Mark is a point in a lab's record: what comes after it is asked for with it. The zero Mark is the beginning.
type Mark int64

// ParseMark reads what String wrote.
func ParseMark(s string) (Mark, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a mark: kiban-lab mark prints one", s)
	}
	return Mark(n), nil
}

func (m Mark) String() string { return strconv.FormatInt(int64(m), 10) }

// recorder appends records to a file.
type recorder struct {
	mu   sync.Mutex
	f    *os.File
	size int64
}

func openRecorder(path string, keep bool) (*recorder, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !keep {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &recorder{f: f, size: fi.Size()}, nil
}

func (r *recorder) add(rec Record) {
	b, err := json.Marshal(rec)
	if err != nil {
		panic("machine: record does not marshal: " + err.Error()) // plain data: a bug
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n, err := r.f.Write(append(b, '\n')); err == nil {
		r.size += int64(n)
	}
}

func (r *recorder) mark() Mark {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Mark(r.size)
}

// RecordMark is the present end of a lab's record file.
func RecordMark(path string) (Mark, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return Mark(fi.Size()), nil
}

// ReadRecords calls each with the records of a lab's record file since a mark.
func ReadRecords(path string, since Mark, each func(Record) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(int64(since), io.SeekStart); err != nil {
		return err
	}
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), 64<<20)
	for s.Scan() {
		var r Record
		if json.Unmarshal(s.Bytes(), &r) != nil {
			continue // the half line of a lab that was killed
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return s.Err()
}
