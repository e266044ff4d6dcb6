package k0s

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// architectures are those that k0s is released for, in Go's words.
func architectures() []string { return []string{"amd64", "arm", "arm64"} }

// pinned is the checksum that the repository holds of a binary, without "sha256:"; "" when it holds none. The Site document and the lock
// file may both have one, and must then agree. A lock file that pins k0s at all pins every version that may run.
func pinned(site lifecycle.Site, v lifecycle.Version, arch string) (string, error) {
	id := v.String() + "/" + arch
	declared := bareSum(site.Binary.SHA256[id])
	if site.Pins == nil || len(site.Pins.K0s) == 0 {
		return declared, nil
	}
	locked := bareSum(site.Pins.K0s[id])
	switch {
	case locked == "" && declared == "":
		return "", lifecycle.Errorf(site.Name+"/"+lifecycle.PinsFile, "the lock file has no checksum of k0s %s for %s", v, arch).
			Because("It pins other versions of k0s, so one that it does not pin is not trusted.").
			Try("kiban pin " + site.Name)
	case locked != "" && declared != "" && locked != declared:
		return "", lifecycle.Errorf(site.Name+"/"+lifecycle.PinsFile, "two checksums of k0s %s for %s", v, arch).
			Because(fmt.Sprintf("The Site document says %s, the lock file %s.", declared, locked)).
			Try("Find out which is right; then correct binaries.sha256 or run `kiban pin " + site.Name + "`.")
	case locked != "":
		return locked, nil
	}
	return declared, nil
}

func bareSum(s string) string {
	return lifecycle.DigestHex(strings.ToLower(strings.TrimSpace(s)))
}

// Releases are the builds of k0s, where a site says that they are published.
type Releases struct{}

// Checksums are those of a version's binaries, "sha256:<hex>" by architecture, as the site's source publishes them today. What the Site
// document pins stands in their place. Where the fleet has k0s's signing key, all of them are signed by it.
func (Releases) Checksums(ctx context.Context, site lifecycle.Site, v lifecycle.Version) (map[string]string, error) {
	sums := map[string]string{}
	for _, arch := range architectures() {
		if sum := bareSum(site.Binary.SHA256[v.String()+"/"+arch]); sum != "" {
			sums[arch] = lifecycle.DigestFromHex(sum)
		}
	}
	published, err := publishedSums(ctx, newSource(site, v, architectures()[0]))
	if err != nil && len(sums) == 0 {
		return nil, err
	}
	for _, arch := range architectures() {
		if sum := published[newSource(site, v, arch).name]; sum != "" && sums[arch] == "" {
			sums[arch] = lifecycle.DigestFromHex(sum)
		}
	}
	if len(sums) == 0 {
		src := newSource(site, v, "<arch>")
		return nil, src.unsummed()
	}
	for arch, digest := range sums {
		if err := newSource(site, v, arch).signed(ctx, site, lifecycle.DigestHex(digest), "", false); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// Fetch gives the file of a binary, and its checksum "sha256:<hex>". It is fetched into dir, as sessions fetch, unless it is there.
func (Releases) Fetch(ctx context.Context, site lifecycle.Site, v lifecycle.Version, arch, dir string, progress func(string)) (file,
	digest string, err error) {
	b, err := obtain(ctx, site, v, arch, dir, false, progress)
	if err != nil {
		return "", "", err
	}
	return b.path, lifecycle.DigestFromHex(b.sha256), nil
}

// publishedSums reads the sums file of a source: checksums by the binaries' names.
func publishedSums(ctx context.Context, src source) (map[string]string, error) {
	r, err := open(ctx, src.checksums)
	if err != nil {
		return nil, src.unavailable("the checksums of k0s cannot be read", src.checksums, err)
	}
	defer r.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 2 {
			sums[path.Base(strings.TrimPrefix(fields[1], "*"))] = strings.ToLower(fields[0])
		}
	}
	if err := lines.Err(); err != nil {
		return nil, src.unavailable("the checksums of k0s cannot be read", src.checksums, err)
	}
	return sums, nil
}

// checksum is the one in the sums file.
func (src source) checksum(ctx context.Context) (string, error) {
	sums, err := publishedSums(ctx, src)
	if err != nil {
		return "", err
	}
	if sum := sums[src.name]; sum != "" {
		return sum, nil
	}
	return "", src.unsummed()
}

func (src source) unsummed() error {
	return lifecycle.Errorf(src.checksums, "no checksum for %s", src.name).
		Because("the file has no line for it, so the binary cannot be trusted").
		Try("Check that the version exists, or pin the checksum under binaries.sha256 in the Site document")
}

func (src source) notHere(v lifecycle.Version, arch, dir string) error {
	return lifecycle.Errorf(dir, "k0s %s for %s is not here", v, arch).
		Because("the network is not to be asked for it").
		Try(fmt.Sprintf("Make a bundle that holds it: kiban bundle SITE --arch %s", arch)).
		From(lifecycle.ErrNotCached)
}

func (src source) unpinned(v lifecycle.Version, arch string) error {
	return lifecycle.Errorf(src.name, "no checksum of k0s %s for %s is here", v, arch).
		Because("the network is not to be asked for it").
		Try("Pin it in the repository: kiban pin SITE").
		From(lifecycle.ErrNotCached)
}
