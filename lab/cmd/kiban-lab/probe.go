package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/probe"
)

// prober is what `probe` runs: one Service, or all.
type prober interface {
	Run(ctx context.Context) error
}

func probeCommand(dir *string) *cobra.Command {
	var o probe.Options
	var kubeconfig, report string
	var duration time.Duration
	var all bool
	c := &cobra.Command{Use: "probe", Short: "Send requests to a Service's endpoints and count the ones that fail", Args: cobra.NoArgs,
		Long: "Send HTTP requests to the endpoints of a Service that EndpointSlices call ready, until interrupted or for --duration, " +
			"and print counts.\n" +
			"It fails when a request failed.\n\n" +
			"With --all, every Service whose pods answer is asked in turn, from when it has a ready endpoint, new ones included; the report\n" +
			"also has the fewest Ready pods of each Deployment, StatefulSet, DaemonSet and ReplicaSet."}
	f := c.Flags()
	f.StringVar(&kubeconfig, "kubeconfig", "", "credentials for the API; the lab's own when not given")
	f.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of the Service")
	f.StringVar(&o.Service, "service", "", "name of the Service")
	f.StringVar(&o.Deployment, "deployment", "", "also record the fewest Ready pods of this Deployment")
	f.BoolVar(&all, "all", false, "probe every Service, and count the Ready pods of every workload")
	f.Float64Var(&o.Rate, "rate", 0, "requests a second, with --all of all Services together (50, with --all 200)")
	f.DurationVar(&o.Timeout, "timeout", time.Second, "of one request")
	f.DurationVar(&duration, "duration", 0, "end after this time (0: when interrupted)")
	f.StringVar(&report, "report", "", "write a JSON report to this file at the end, and every second until then")
	for _, other := range []string{"namespace", "service", "deployment"} {
		c.MarkFlagsMutuallyExclusive("all", other)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if kubeconfig != "" {
			b, err := os.ReadFile(kubeconfig)
			if err != nil {
				return err
			}
			o.Kubeconfig = b
		}
		var a access
		switch err := ask(c.Context(), *dir, "GET", "/access", nil, &a); {
		case err == nil:
			o.Servers = a.Servers
			if o.Kubeconfig == nil {
				o.Kubeconfig = a.Kubeconfig
			}
		case o.Kubeconfig == nil:
			return err
		}
		ctx := c.Context()
		if duration > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, duration)
			defer cancel()
		}
		if all {
			return probeAll(ctx, c.OutOrStdout(), probe.AllOptions{Kubeconfig: o.Kubeconfig, Servers: o.Servers, Rate: o.Rate, Timeout: o.Timeout},
				report)
		}
		return probeOne(ctx, c.OutOrStdout(), o, report)
	}
	return c
}

func probeOne(ctx context.Context, out io.Writer, o probe.Options, report string) error {
	p, err := probe.New(o)
	if err != nil {
		return err
	}
	if err := probing(ctx, p, func() any { return p.Report() }, report); err != nil {
		return err
	}
	r := p.Report()
	fmt.Fprintf(out, "%d requests, %d failed", r.Requests, r.Failures)
	if o.Deployment != "" {
		fmt.Fprintf(out, ", never fewer than %d Ready pods", r.MinReady)
	}
	fmt.Fprintln(out)
	printFailures(out, r.Failed, r.Failures)
	return failed(r.Failures, r.Requests)
}

func probeAll(ctx context.Context, out io.Writer, o probe.AllOptions, report string) error {
	p, err := probe.NewAll(o)
	if err != nil {
		return err
	}
	if err := probing(ctx, p, func() any { return p.Report() }, report); err != nil {
		return err
	}
	r := p.Report()
	fmt.Fprintf(out, "%d services, %d requests, %d failed\n", len(r.Services), r.Requests, r.Failures)
	for _, s := range r.Services {
		if s.Failures > 0 {
			fmt.Fprintf(out, "%s/%s: %d of %d requests failed\n", s.Namespace, s.Name, s.Failures, s.Requests)
			printFailures(out, s.Failed, s.Failures)
		}
	}
	for _, w := range r.Workloads {
		if w.Fewest < w.Desired {
			fmt.Fprintf(out, "%s %s/%s: %d of %d pods Ready at %s\n", w.Kind, w.Namespace, w.Name, w.Fewest, w.Desired,
				w.FewestAt.UTC().Format("15:04:05"))
		}
	}
	return failed(r.Failures, r.Requests)
}

// printFailures prints the first of so many failures.
func printFailures(out io.Writer, list []probe.Failure, of int) {
	const most = 20
	for i, e := range list {
		if i == most {
			fmt.Fprintf(out, "… and %d more\n", of-most)
			return
		}
		fmt.Fprintf(out, "%s %s %s %s\n", e.At.UTC().Format("15:04:05.000"), e.Endpoint, e.Pod, e.Error)
	}
}

func failed(failures, requests int) error {
	if failures > 0 {
		return fmt.Errorf("%d of %d requests failed", failures, requests)
	}
	return nil
}

// probing runs a prober and keeps its report on disk up to date.
func probing(ctx context.Context, p prober, report func() any, file string) error {
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return errors.Join(err, writeReport(report(), file))
		case <-tick.C:
			if err := writeReport(report(), file); err != nil {
				return err
			}
		}
	}
}

func writeReport(report any, file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
