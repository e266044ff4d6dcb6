package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"kiban.dev/kiban/lab/machine"
)

// control answers the other commands of kiban-lab, on a socket in the lab's folder.
type control struct {
	lab    *machine.Lab
	server *http.Server
	folder *os.File
	ended  chan struct{}
	end    sync.Once
}

// machineStatus is one machine, as `status -o json` prints it.
type machineStatus struct {
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Power   bool     `json:"power"`
	K0s     string   `json:"k0s,omitempty"`
	Role    string   `json:"role,omitempty"`
	Answers bool     `json:"answers,omitempty"`
	Faults  []string `json:"faults,omitempty"`
}

// access is the way into the cluster of a lab.
type access struct {
	Kubeconfig []byte   `json:"kubeconfig"`
	Servers    []string `json:"servers"`
}

// faultRequest is `kiban-lab fault`.
type faultRequest struct {
	Machines []string `json:"machines"`
	Kind     string   `json:"kind"`
	Args     []string `json:"args"`
	Clear    bool     `json:"clear"`
}

// socket names the control socket in a way that is short enough for the kernel, however deep the folder lies.
func socket(dir string) (path string, folder *os.File, err error) {
	folder, err = os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/control.sock", folder.Fd()), folder, nil
}

func serveControl(lab *machine.Lab) (*control, error) {
	p, folder, err := socket(lab.Dir())
	if err != nil {
		return nil, err
	}
	_ = os.Remove(filepath.Join(lab.Dir(), "control.sock")) // of a lab that was killed
	l, err := net.Listen("unix", p)
	if err != nil {
		return nil, err
	}
	c := &control{lab: lab, folder: folder, ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", c.status)
	mux.HandleFunc("GET /access", c.access)
	mux.HandleFunc("POST /fault", c.fault)
	mux.HandleFunc("POST /exec", c.exec)
	c.server = &http.Server{Handler: mux}
	go func() {
		_ = c.server.Serve(l) // it ends when closed
		c.end.Do(func() { close(c.ended) })
	}()
	return c, nil
}

func (c *control) close() {
	_ = c.server.Close()
	_ = os.Remove(filepath.Join(c.lab.Dir(), "control.sock"))
	c.folder.Close()
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	_ = json.NewEncoder(w).Encode(v) // the asker may have gone
}

func (c *control) status(w http.ResponseWriter, _ *http.Request) {
	list := []machineStatus{}
	for _, m := range c.lab.Machines() {
		s := machineStatus{Name: m.Name, Address: m.Address, Power: m.On(), Faults: m.Faults()}
		s.K0s, s.Role, s.Answers = m.K0s().Status()
		list = append(list, s)
	}
	answer(w, list, nil)
}

func (c *control) access(w http.ResponseWriter, _ *http.Request) {
	kc, servers, err := c.lab.Kubeconfig()
	answer(w, access{kc, servers}, err)
}

func (c *control) fault(w http.ResponseWriter, r *http.Request) {
	var f faultRequest
	if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
		answer(w, nil, err)
		return
	}
	ms, err := c.pick(f.Machines)
	if err != nil {
		answer(w, nil, err)
		return
	}
	var wg sync.WaitGroup
	errs := make([]error, len(ms))
	for i, m := range ms {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if f.Clear {
				errs[i] = m.ClearFaults()
			} else {
				errs[i] = m.Fault(f.Kind, f.Args...)
			}
			if errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", m.Name, errs[i])
			}
		}()
	}
	wg.Wait()
	answer(w, len(ms), errors.Join(errs...))
}

// pick finds machines by name; "all", or no name, is every one.
func (c *control) pick(names []string) ([]*machine.Machine, error) {
	if len(names) == 0 || len(names) == 1 && names[0] == "all" {
		return c.lab.Machines(), nil
	}
	var ms []*machine.Machine
	for _, n := range names {
		m := c.lab.Machine(n)
		if m == nil {
			return nil, fmt.Errorf("no machine %q in this lab", n)
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// ask sends a request to the lab that runs in a folder.
func ask(ctx context.Context, dir, method, path string, body, into any) error {
	p, folder, err := socket(dir)
	if err != nil {
		return fmt.Errorf("no lab runs in %s: kiban-lab up starts one", dir)
	}
	defer folder.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p)
		}}}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no lab runs in %s: kiban-lab up starts one", dir)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return errors.New(strings.TrimSpace(string(text)))
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
