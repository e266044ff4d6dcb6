// Command renovate-check runs the real Renovate over the fleet of this repository, on this machine: its configuration is valid, it finds
// every version that kiban reads, and it proposes what docs/renovate.md says and nothing else. It needs node and npm, which fetch Renovate
// once, and asks nobody else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	write := flag.Bool("write", false, "put what renovate/ has into renovate.json5 and into what kiban init makes, and end")
	fleet := flag.String("fleet", ".", "the repository")
	kiban := flag.String("kiban", "bin/kiban", "the kiban that says what sites declare")
	cache := flag.String("cache", "", "where Renovate is installed (default: kiban-renovate in the user's cache folder)")
	keep := flag.String("keep", "", "keep the copy of the fleet and Renovate's logs in this new folder")
	flag.Parse()

	old, err := outdated(*fleet)
	switch {
	case err != nil:
		return err
	case *write:
		for name, want := range old {
			if err := os.WriteFile(filepath.Join(*fleet, name), []byte(want), 0o644); err != nil {
				return err
			}
		}
		return nil
	case len(old) > 0:
		return fmt.Errorf("not as in renovate/: %s. Try: go run ./scripts/renovate-check -write", list(slices.Sorted(maps.Keys(old))))
	}
	if *cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		*cache = filepath.Join(dir, "kiban-renovate")
	}
	work, err := os.MkdirTemp("", "renovate-check-")
	if err != nil {
		return err
	}
	if *keep == "" {
		defer os.RemoveAll(work)
	} else if err := os.Symlink(work, *keep); err != nil {
		return err
	}
	path, err := filepath.Abs(*kiban)
	if err != nil {
		return err
	}
	return check(ctx, *fleet, path, *cache, work)
}

// check is the whole of it: valid, complete, and as expected.
func check(ctx context.Context, fleet, kiban, cache, work string) error {
	tool, err := install(ctx, cache)
	if err != nil {
		return err
	}
	clone := filepath.Join(work, "fleet")
	there := world{}
	server := there.serve(time.Now())
	defer server.Close()
	if err := copyFleet(ctx, fleet, clone, server.Listener.Addr().String()); err != nil {
		return err
	}
	if err := tool.validate(ctx, clone); err != nil {
		return err
	}
	fmt.Println("The configuration is valid, in strict mode.")

	declares, err := sites(ctx, kiban, clone)
	if err != nil {
		return err
	}
	found, err := tool.run(ctx, clone, "extract", filepath.Join(work, "extract.log"))
	if err != nil {
		return err
	}
	if err := errors.Join(complete(declares, found), pipeline(found)); err != nil {
		return err
	}
	fmt.Printf("Renovate finds %d versions; the %d that kiban reads in sites are among them.\n", len(found), len(declares))

	there.fill(found)
	// without any, Renovate asks nothing of GitHub
	proposed, err := tool.run(ctx, clone, "lookup", filepath.Join(work, "lookup.log"), "RENOVATE_CONFIG="+there.job(server.URL),
		"RENOVATE_GITHUB_COM_TOKEN=none")
	if err != nil {
		return err
	}
	n, err := compare(proposed, there, tiers(declares))
	if err != nil {
		return err
	}
	fmt.Printf("Renovate proposes the %d updates that are expected, and no other.\n", n)

	if err := opens(ctx, tool, fleet, kiban, work); err != nil {
		return err
	}
	fmt.Println("Renovate opens a merge request for staging, with its lock file, and one for production once it is ticked.")
	return nil
}
