package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/probe"
)

func probeCommand(dir *string) *cobra.Command {
	var o probe.Options
	var kubeconfig, report string
	var duration time.Duration
	c := &cobra.Command{Use: "probe", Short: "Send requests to a Service's endpoints and count the ones that fail", Args: cobra.NoArgs,
		Long: "Send HTTP requests to the endpoints of a Service that EndpointSlices call ready, until interrupted or for --duration, " +
			"and print counts.\n" +
			"It fails when a request failed."}
	f := c.Flags()
	f.StringVar(&kubeconfig, "kubeconfig", "", "credentials for the API; the lab's own when not given")
	f.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of the Service")
	f.StringVar(&o.Service, "service", "", "name of the Service")
	f.StringVar(&o.Deployment, "deployment", "", "also record the fewest Ready pods of this Deployment")
	f.Float64Var(&o.Rate, "rate", 50, "requests a second")
	f.DurationVar(&o.Timeout, "timeout", time.Second, "of one request")
	f.DurationVar(&duration, "duration", 0, "end after this time (0: when interrupted)")
	f.StringVar(&report, "report", "", "write a JSON report to this file at the end, and every second until then")
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
		p, err := probe.New(o)
		if err != nil {
			return err
		}
		ctx := c.Context()
		if duration > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, duration)
			defer cancel()
		}
		if err := probing(ctx, p, report); err != nil {
			return err
		}
		r := p.Report()
		fmt.Fprintf(c.OutOrStdout(), "%d requests, %d failed", r.Requests, r.Failures)
		if o.Deployment != "" {
			fmt.Fprintf(c.OutOrStdout(), ", never fewer than %d Ready pods", r.MinReady)
		}
		fmt.Fprintln(c.OutOrStdout())
		for i, e := range r.Failed {
			if i == 20 {
				fmt.Fprintf(c.OutOrStdout(), "… and %d more\n", r.Failures-20)
				break
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s %s %s\n", e.At.UTC().Format("15:04:05.000"), e.Endpoint, e.Pod, e.Error)
		}
		if r.Failures > 0 {
			return fmt.Errorf("%d of %d requests failed", r.Failures, r.Requests)
		}
		return nil
	}
	return c
}

// probing runs the prober and keeps its report on disk up to date.
func probing(ctx context.Context, p *probe.Prober, report string) error {
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				err = writeReport(p, report)
			}
			return err
		case <-tick.C:
			if err := writeReport(p, report); err != nil {
				return err
			}
		}
	}
}

func writeReport(p *probe.Prober, file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(p.Report(), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
