package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// lab is a site's simulated machines, and the real control plane that kiban makes on them.
type lab struct {
	bin, dir, net string
	env           []string
	hold          net.Listener
}

// freeNet finds a net that no other trial has: it holds an address there that no machine uses until it ends.
func freeNet(wanted, second string) (string, net.Listener, error) {
	candidates := []string{wanted}
	if wanted == "" {
		candidates = nil
		for third := range 50 {
			candidates = append(candidates, fmt.Sprintf("127.%s.%d", second, third))
		}
	}
	var last error
	for _, n := range candidates {
		hold, err := net.Listen("tcp", n+".250:2222")
		if err != nil {
			last = err
			continue
		}
		machine, err := net.Listen("tcp", n+".11:2222") // the first controller of a lab that someone has started by hand
		if err == nil {
			machine.Close()
			return n, hold, nil
		}
		hold.Close()
		last = err
	}
	return "", nil, fmt.Errorf("no net of %s is free: %w", strings.Join(candidates, ", "), last)
}

// up starts the machines; nothing is installed on them.
func (l *lab) up(ctx context.Context, controllers, workers int) error {
	_, err := must(ctx, filepath.Dir(l.dir), l.env, l.bin, "up", "--dir", l.dir, "--net", l.net, "--controllers", fmt.Sprint(controllers),
		"--workers", fmt.Sprint(workers), "--detach")
	return err
}

// down ends what up started, also when the trial was interrupted.
func (l *lab) down() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = must(ctx, filepath.Dir(l.dir), l.env, l.bin, "down", "--dir", l.dir) // one that never came up is as good
	if l.hold != nil {
		l.hold.Close()
	}
}

func (l *lab) ask(ctx context.Context, args ...string) (string, error) {
	return must(ctx, filepath.Dir(l.dir), l.env, l.bin, append([]string{args[0], "--dir", l.dir}, args[1:]...)...)
}

// changes are what was altered on the machines since a mark.
func (l *lab) changes(ctx context.Context, since string) (string, error) {
	return l.ask(ctx, "commands", "--changes", "--since", since)
}
