package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/charts"
)

func chartsCommand() *cobra.Command {
	var o charts.Options
	var to, listen string
	var argo bool
	c := &cobra.Command{Use: "charts", Short: "Write a Helm chart repository, and serve it", Args: cobra.NoArgs,
		Long: "Write a chart repository: stand-ins for the charts of Argo CD and Datadog, a small workload, " +
			"and MetalLB's real chart out of its Go\n" +
			"module, twice, with two versions. It is the same bytes every time. With --listen it is served until interrupted."}
	f := c.Flags()
	f.StringVar(&to, "dir", ".lab/charts", "the folder to write to")
	f.StringVar(&listen, "listen", "", "serve the folder over HTTP on this loopback address (127.0.0.1:0)")
	f.BoolVar(&argo, "argocd", false, "write Argo CD's real manifests into the folder's argocd/ too, out of its Go module")
	f.StringSliceVar(&o.Without, "without", nil, "a version that was taken back, as datadog-3.150.0; may be repeated")
	f.StringSliceVar(&o.Altered, "altered", nil, "a version whose archive is another one under the same name; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var err error
		if o.MetalLB, err = charts.MetalLBChart(c.Context()); err != nil {
			o.MetalLB = ""
			fmt.Fprintln(c.ErrOrStderr(), "kiban-lab: MetalLB's chart is left out:", err)
		}
		if err := charts.Write(to, o); err != nil {
			return err
		}
		if argo {
			if err := charts.WriteArgoCD(c.Context(), filepath.Join(to, "argocd")); err != nil {
				return err
			}
		}
		if listen == "" {
			return nil
		}
		l, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "http://%s\n", l.Addr())
		return serve(c.Context(), l, http.FileServer(http.Dir(to)))
	}
	return c
}

// serve answers until ctx ends.
func serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
