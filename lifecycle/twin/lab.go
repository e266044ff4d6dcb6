package twin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// LabVariable is the environment variable that names the program of the lab.
const LabVariable = "KIBAN_LAB"

// labName is what the program is called.
const labName = "kiban-lab"

// FindLab finds the program of the lab: named by KIBAN_LAB, else beside kiban's own program, else in the PATH.
func FindLab(getenv func(string) string, self string) (string, error) {
	if named := getenv(LabVariable); named != "" {
		if err := runs(named); err != nil {
			return "", lifecycle.Errorf(named, "%s names no program that can be run", LabVariable).From(err).
				Try("Set it to the path of kiban-lab, or unset it.")
		}
		return filepath.Abs(named)
	}
	if self != "" {
		if beside := filepath.Join(filepath.Dir(self), labName); runs(beside) == nil {
			return beside, nil
		}
	}
	found, err := exec.LookPath(labName)
	if err != nil {
		return "", lifecycle.Errorf("", "the lab's program is not here: %s", labName).
			Because("It was looked for in " + LabVariable + ", beside kiban, and in the PATH.").
			Try("Put kiban-lab of the same release beside kiban, or name it: " + LabVariable + "=/path/to/kiban-lab. It runs on Linux.").
			From(err)
	}
	return filepath.Abs(found)
}

func runs(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return err
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fs.ErrPermission
	}
	return nil
}

// LabVersion is what `kiban-lab version -o json` says of the program.
type LabVersion struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Dirty    bool   `json:"dirty"`
	// Minors are the minor releases of Kubernetes that it can play: "1.34".
	Minors []string `json:"minors"`
	// Faults are the kinds of what can go wrong in it.
	Faults []string `json:"faults"`
}

// Plays reports whether the lab can pose as a release.
func (v LabVersion) Plays(release lifecycle.Version) bool {
	for _, m := range v.Minors {
		if m == fmt.Sprintf("%d.%d", release.Major, release.Minor) {
			return true
		}
	}
	return false
}

// Agrees reports whether lab and kiban were made together: of the same release or the same commit. Where one of them does not know its
// own,
// they do.
func (v LabVersion) Agrees(version, revision string) bool {
	if v.Revision != "" && revision != "" {
		return v.Revision == revision
	}
	return v.Version == version || v.Version == "devel" || version == "devel"
}

// askWithin is how long the lab's program may take to say its version: it is large, and a busy disk may have to read all of it.
const askWithin = time.Minute

// AskLab asks the lab's program for its version.
func AskLab(ctx context.Context, program string) (LabVersion, error) {
	return askLab(ctx, program, askWithin)
}

func askLab(ctx context.Context, program string, limit time.Duration) (LabVersion, error) {
	within, cancel := lifecycle.Within(ctx, limit, "it did not answer")
	defer cancel()
	var v LabVersion
	out, err := output(within, program, "version", "-o", "json")
	switch {
	case ctx.Err() != nil:
		return v, lifecycle.WhyEnded(ctx)
	case within.Err() != nil:
		err = lifecycle.WhyEnded(within)
	case err == nil:
		err = json.Unmarshal(out, &v)
	}
	if err == nil && len(v.Minors) == 0 { // other programs have versions, too: kiban itself
		err = errors.New("it names no release of Kubernetes that it plays")
	}
	if err != nil {
		return v, lifecycle.Errorf(program, "this is not the lab's program, or it can't be run").From(err).
			Try("Name kiban-lab of kiban's own release: " + LabVariable + "=/path/to/kiban-lab")
	}
	return v, nil
}

// Machine is one machine of a lab, as `kiban-lab up --machines` takes it. What is zero is the lab's ordinary.
type Machine struct {
	Name string `json:"name"`
	Role string `json:"role"` // "controller" or "worker": it decides the address, not what is installed
	Arch string `json:"arch,omitempty"`
	Zone string `json:"zone,omitempty"`
	// Capacity and Allocatable are what the node says of itself.
	Capacity    map[string]string `json:"capacity,omitempty"`
	Allocatable map[string]string `json:"allocatable,omitempty"`
}

// Place is what lab.json in a lab's folder says: where its machines are, and what lets one in.
type Place struct {
	Port       int    `json:"port"`
	KeyFile    string `json:"keyFile"`
	KnownHosts string `json:"knownHosts"`
	Mirror     string `json:"mirror"`
	Machines   []struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"machines"`
}

// Address is a machine's; "" for one that is not there.
func (p Place) Address(name string) string {
	for _, m := range p.Machines {
		if m.Name == name {
			return m.Address
		}
	}
	return ""
}

// Lab is one that runs.
type Lab struct {
	Place
	program, dir string
	process      *exec.Cmd
	ended        chan struct{}
}

// startWithin is how long a lab may take until every machine answers.
const startWithin = 2 * time.Minute

// StartLab starts a lab with these machines in a folder that is there, and waits until every machine answers. Releases are those in its
// mirror.
func StartLab(ctx context.Context, program, dir string, machines []Machine, releases []string) (*Lab, error) {
	text, err := json.MarshalIndent(machines, "", "  ")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "machines.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, NoRoom(dir, err)
	}
	l := &Lab{program: program, dir: filepath.Join(dir, "lab"), ended: make(chan struct{})}
	if err := os.MkdirAll(l.dir, 0o700); err != nil { // its keys and what is said in it are nobody else's
		return nil, NoRoom(dir, err)
	}
	args := []string{"up", "--until-eof", "--dir", l.dir, "--net", "auto", "--machines", file}
	for _, r := range releases {
		args = append(args, "--version", r)
	}
	l.process = exec.Command(program, args...) //nolint:noctx // Stop ends it, in order
	l.process.Env = labEnviron()
	l.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's interrupt is for kiban, which then ends it
	var said bytes.Buffer
	l.process.Stderr = &said
	// Nothing is ever written to it: it ends when kiban does, however that ends, and the lab with it.
	_, err = l.process.StdinPipe()
	out, piped := l.process.StdoutPipe()
	if err = errors.Join(err, piped); err == nil {
		err = l.process.Start()
	}
	if err != nil {
		return nil, l.notStarted(err.Error())
	}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		ready <- lines.Scan() && strings.HasPrefix(lines.Text(), "ready")
		for lines.Scan() { // it waits for nobody
		}
		_ = l.process.Wait() // that it ended is all there is to know
		close(l.ended)
	}()
	within, cancel := lifecycle.Within(ctx, startWithin, "the lab did not come up")
	defer cancel()
	select {
	case ok := <-ready:
		if ok {
			return l, l.read()
		}
		<-l.ended
		return nil, l.notStarted(said.String())
	case <-within.Done():
		why := context.Cause(within).Error()
		l.Stop()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if said.Len() > 0 {
			why += "\nIt said: " + strings.TrimSpace(said.String())
		}
		return nil, l.notStarted(why)
	}
}

func (l *Lab) read() error {
	b, err := os.ReadFile(filepath.Join(l.dir, "lab.json"))
	if err == nil {
		err = json.Unmarshal(b, &l.Place)
	}
	if err != nil {
		l.Stop()
		return l.notStarted("its lab.json can't be read: " + err.Error())
	}
	return nil
}

func (l *Lab) notStarted(why string) error {
	why = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(why), "kiban-lab:"))
	if err := errors.New(why); IsFull(err) {
		return NoRoom(filepath.Dir(l.dir), err)
	}
	return lifecycle.Errorf("", "the lab did not start").Because(why).
		Try("Look whether the machine has room: a lab needs some 300 MB of memory a controller, and free loopback addresses.")
}

// Stop ends the lab and everything that it runs, and returns when it is over. It may be called again.
func (l *Lab) Stop() {
	if l == nil || l.process == nil || l.process.Process == nil {
		return
	}
	const patience = 20 * time.Second
	_ = l.process.Process.Signal(syscall.SIGTERM) // one that has ended already is as good
	select {
	case <-l.ended:
	case <-time.After(patience):
		_ = syscall.Kill(-l.process.Process.Pid, syscall.SIGKILL)
		<-l.ended
	}
}

// Exec runs a command line on a machine, as root, and gives what it printed.
func (l *Lab) Exec(ctx context.Context, machine, command string) ([]byte, error) {
	return output(ctx, l.program, "--dir", l.dir, "exec", machine, command)
}

// putAtOnce is how many bytes of a file go to a machine with one command: a system takes 128 KiB of an argument. It is a multiple of 3,
// so that each part is whole in base64.
const putAtOnce = 60 << 10

// Put writes a file on a machine, as root, that anybody may run.
func (l *Lab) Put(ctx context.Context, machine, file string, content []byte) error {
	to := lifecycle.ShellWord(file)
	if _, err := l.Exec(ctx, machine, ": > "+to+" && chmod 0755 "+to); err != nil {
		return err
	}
	for part := range slices.Chunk(content, putAtOnce) {
		if _, err := l.Exec(ctx, machine, "printf %s "+base64.StdEncoding.EncodeToString(part)+" | base64 -d >> "+to); err != nil {
			return err
		}
	}
	return nil
}

// Fault makes something go wrong on a machine; `kiban-lab fault --help` lists what can.
func (l *Lab) Fault(ctx context.Context, machine, kind string, args ...string) error {
	_, err := output(ctx, l.program, append([]string{"--dir", l.dir, "fault", machine, kind, "--"}, args...)...)
	return err
}

// Clear makes everything well again.
func (l *Lab) Clear(ctx context.Context) error {
	_, err := output(ctx, l.program, "--dir", l.dir, "fault", "--clear")
	return err
}

// Kubeconfig is an administrator's, for the API of the lab's cluster.
func (l *Lab) Kubeconfig(ctx context.Context) ([]byte, error) {
	return output(ctx, l.program, "--dir", l.dir, "kubeconfig")
}

// Probe sends requests to every Service until the function that it gives back is called, which waits until the report is in its file.
func (l *Lab) Probe(report string) (stop func(), err error) {
	c := exec.Command(l.program, "--dir", l.dir, "probe", "--until-eof", "--all", "--report", report) //nolint:noctx // stop ends it
	c.Env = labEnviron()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	_, err = c.StdinPipe() // as the lab's
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return nil, l.notStarted(err.Error())
	}
	return func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait() // that requests were lost is in the report
	}, nil
}

// labEnviron is what the lab's program is told of where kiban runs: where programs and temporary files are.
func labEnviron() []string {
	var env []string
	for _, name := range []string{"PATH", "TMPDIR", "HOME"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// output runs the lab's program to its end, and gives what it printed. The error has what it said.
func output(ctx context.Context, program string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Env = labEnviron()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.WaitDelay = time.Second
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && said.Len() > 0 {
		err = fmt.Errorf("%s: %w", strings.TrimSpace(said.String()), exit)
	}
	return out.Bytes(), err
}
