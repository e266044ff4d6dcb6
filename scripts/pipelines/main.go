// Command pipelines runs the fleet's pipelines for real on this machine: gitlab-ci-local executes the jobs of the merge request, of the
// main branch and of the schedule, the lab is the site, and a small GitLab of the trial's own keeps what pipelines write. It needs
// node, npm, git and rsync. Everything that it starts listens on loopback and is ended by it. See docs/pipelines.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	// Repository is what the fleet is made of; Kiban and Lab are the built binaries.
	Repository, Kiban, Lab string
	// Net is the lab's, "127.x.y"; empty: one that nobody uses.
	Net string
	// Cache is where gitlab-ci-local is installed; Keep is where the trial's folder is kept, if anywhere.
	Cache, Keep string
}

func run(ctx context.Context) error {
	var o options
	flag.StringVar(&o.Repository, "repository", ".", "the repository whose fleet and pipelines are tried")
	flag.StringVar(&o.Kiban, "kiban", "bin/kiban", "the kiban that the jobs run")
	flag.StringVar(&o.Lab, "lab", "bin/kiban-lab", "the lab that the site is in")
	flag.StringVar(&o.Net, "net", "", "the lab's net, such as 127.238.0 (default: one that is free)")
	flag.StringVar(&o.Cache, "cache", "", "where gitlab-ci-local is installed (default: kiban-pipelines in the user's cache folder)")
	flag.StringVar(&o.Keep, "keep", "", "keep everything that the trial makes in this new folder")
	flag.Parse()
	if err := o.complete(); err != nil {
		return err
	}
	if err := needed(); err != nil {
		return err
	}
	work, err := o.folder()
	if err != nil {
		return err
	}
	if o.Keep == "" {
		defer removeAll(work)
	}
	return o.run(ctx, work)
}

// complete makes paths absolute, since jobs run elsewhere, and fills in what was not given.
func (o *options) complete() error {
	for _, p := range []*string{&o.Repository, &o.Kiban, &o.Lab} {
		path, err := filepath.Abs(*p)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return fmt.Errorf("%w; build both with: make build lab", err)
		}
		*p = path
	}
	if o.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.Cache = filepath.Join(dir, "kiban-pipelines")
	}
	return nil
}

// folder is the trial's own: a temporary one, or the one that is to be kept.
func (o *options) folder() (string, error) {
	if o.Keep == "" {
		return os.MkdirTemp("", "kiban-pipelines-")
	}
	path, err := filepath.Abs(o.Keep)
	if err != nil {
		return "", err
	}
	return path, os.Mkdir(path, 0o755)
}

// removeAll removes a folder in which processes that were just ended may still write.
func removeAll(dir string) {
	for range 5 {
		if err := os.RemoveAll(dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		settle()
	}
}
