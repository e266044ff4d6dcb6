package site

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a window's time zone must be known wherever kiban runs; CI images often bring no zones

	"kiban.dev/kiban/lifecycle/allowed"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkSite applies the rules about the Site document alone.
func checkSite(d siteDocument, name string) []finding {
	var found []finding
	if d.Metadata.Name != name {
		found = append(found, wrong(sitePlace("metadata", "name"), fmt.Sprintf("the Site is named %q, its folder %q", d.Metadata.Name, name),
			"A site is named as its overlay folder, everywhere.",
			fmt.Sprintf("Write `name: %s`; in a patch of the base's Site, with `options: {allowNameChange: true}`.", name)))
	}
	found = append(found, checkProvider(d.Spec)...)
	found = append(found, checkPlatform(d.Spec.Platform)...)
	found = append(found, checkSSH(d.Spec.SSH)...)
	found = append(found, checkAPI(d.Spec.API)...)
	found = append(found, checkSource(d.Spec.Binaries)...)
	found = append(found, checkBackup(d.Spec.Backup)...)
	found = append(found, checkRollout(d.Spec.Upgrade)...)
	found = append(found, checkWindows(d.Spec.Upgrade.Windows)...)
	found = append(found, checkProbes(d.Spec.Upgrade.Probes)...)
	found = append(found, checkAccept(d.Spec.Upgrade.Accept)...)
	found = append(found, checkPromotion(d.Spec.Promotion, name)...)
	found = append(found, checkRehearse(d.Spec)...)
	return found
}

func checkSSH(s sshSpec) []finding {
	var found []finding
	if s.User != "" {
		found = append(found, refusal(sitePlace("spec", "ssh", "user"), "", allowed.User(s.User))...)
	}
	if s.KnownHosts != "" {
		found = append(found, refusal(sitePlace("spec", "ssh", "knownHosts"), "", allowed.KnownHosts(s.KnownHosts))...)
	}
	if s.Port < 1 || s.Port > 65535 {
		found = append(found, wrong(sitePlace("spec", "ssh", "port"), fmt.Sprintf("%d is no port", s.Port), "", "Use 1 to 65535."))
	}
	if s.ConnectTimeout <= 0 {
		found = append(found, wrong(sitePlace("spec", "ssh", "connectTimeout"), "connectTimeout must be positive",
			"Without it an unreachable host holds everything up.", "Leave it out for 10s."))
	}
	if s.KeepAlive <= 0 {
		found = append(found, wrong(sitePlace("spec", "ssh", "keepAlive"), "keepAlive must be positive",
			"Without it a dead connection is noticed only by what waits on it.", "Leave it out for 5s."))
	}
	return found
}

func checkAPI(a apiSpec) []finding {
	var found []finding
	if a.Via != "direct" && a.Via != "ssh" {
		found = append(found, wrong(sitePlace("spec", "api", "via"), fmt.Sprintf("api.via can't be %q", a.Via), "", `Use "direct" or "ssh".`))
	}
	if a.Endpoint == "" {
		return found
	}
	at := sitePlace("spec", "api", "endpoint")
	u, err := url.Parse(a.Endpoint)
	switch {
	case err == nil && u.User != nil:
		found = append(found, wrong(at, "api.endpoint has credentials in it",
			"They would stand in the repository, and in every kubeconfig that kiban prints.",
			"Take them out: kiban signs on with the cluster's own certificates."))
	case err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		allowed.Address(u.Hostname()).Refused():
		found = append(found, wrong(at, fmt.Sprintf("%q is no API endpoint", a.Endpoint), "", `Write it as "https://api.example.com:6443".`))
	}
	if a.Via == "ssh" {
		found = append(found, wrong(at, "api.endpoint has no effect with `via: ssh`", "The tunnel ends on the controllers themselves.",
			"Remove one of the two."))
	}
	return found
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// placeholder is a blank of a template; placeholders are those that the source of k0s fills in.
var placeholder = regexp.MustCompile(`\{[^{}/]*\}`)

func placeholders() []string { return []string{"{version}", "{arch}"} }

// checkSource holds that whatever is installed can be checked against a checksum from a place that was chosen (H14).
func checkSource(b binariesSpec) []finding {
	var found []finding
	for _, f := range []struct{ field, value string }{{"url", b.URL}, {"checksums", b.Checksums}} {
		scheme, _, isURL := strings.Cut(f.value, "://")
		if isURL && scheme != "http" && scheme != "https" {
			found = append(found, wrong(sitePlace("spec", "binaries", f.field), fmt.Sprintf("binaries.%s can't be fetched by %s", f.field, scheme),
				"",
				"Use http, https, or a path relative to the overlay."))
		}
		for _, blank := range placeholder.FindAllString(f.value, -1) {
			if slices.Contains(placeholders(), blank) {
				continue
			}
			hint := "Those that are filled in: " + strings.Join(placeholders(), ", ") + "."
			if near := overlay.Nearest(blank, placeholders()); near != "" {
				hint = fmt.Sprintf("Did you mean %q?", near)
			}
			found = append(found, wrong(sitePlace("spec", "binaries", f.field), fmt.Sprintf("nothing fills in %s of binaries.%s", blank, f.field),
				"", hint))
		}
	}
	if b.URL != "" && b.Checksums == "" && len(b.SHA256) == 0 {
		found = append(found, wrong(sitePlace("spec", "binaries", "url"), "a mirror without checksums",
			"k0s binaries are installed only after they match a checksum.",
			"Set binaries.checksums to the mirror's sha256sums.txt, or pin binaries.sha256."))
	}
	for key, sum := range b.SHA256 {
		v, arch, ok := strings.Cut(key, "/")
		var parsed version
		if !ok || arch == "" || parsed.parse(v) != nil {
			found = append(found, wrong(sitePlace("spec", "binaries", "sha256", key), fmt.Sprintf("%q does not say which binary it is for", key), "",
				`Write the key as "<version>/<arch>", such as "v1.36.3+k0s.2/amd64".`))
		}
		if !sha256Form.MatchString(sum) {
			found = append(found, wrong(sitePlace("spec", "binaries", "sha256", key), fmt.Sprintf("the checksum of %s is not SHA-256", key), "",
				"It has 64 hexadecimal digits, in lower case."))
		}
	}
	return found
}

var labelForm = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)

func checkRollout(u upgradeSpec) []finding {
	var found []finding
	at := func(keys ...string) overlay.Place { return sitePlace(append([]string{"spec", "upgrade"}, keys...)...) }
	switch c := u.ControlPlane; {
	case c.Soak < 0:
		found = append(found, wrong(at("controlPlane", "soak"), "controlPlane.soak can't be negative", "",
			"Say how long the control plane can go back, such as 48h, or leave it out."))
	case c.Commit != "" && c.Commit != "auto" && c.Commit != "manual":
		found = append(found, wrong(at("controlPlane", "commit"), fmt.Sprintf("controlPlane.commit is auto or manual, not %q", c.Commit), "",
			"Leave it out for auto: a run commits when the soak is over."))
	case c.Commit != "" && c.Soak == 0:
		found = append(found, wrong(at("controlPlane", "commit"), "controlPlane.commit without a soak", "Nothing would be committed.",
			"Say how long the control plane can go back: soak: 48h"))
	}
	if u.Workers.Canary < 0 {
		found = append(found, wrong(at("workers", "canary"), "canary can't be negative", "", "Use 0 for none."))
	}
	if d := u.Workers.FailureDomain; d != "" && !labelForm.MatchString(d) {
		found = append(found, wrong(at("workers", "failureDomain"), fmt.Sprintf("%q is no label key", d), "",
			"Use one such as topology.kubernetes.io/zone."))
	}
	if u.Drain.EvictionRetry <= 0 {
		found = append(found, wrong(at("drain", "evictionRetry"), "evictionRetry must be positive",
			"Without a pause an eviction that a budget refuses is tried again at once, without end (H35).", "Leave it out for 2s."))
	}
	for _, f := range []struct {
		keys  []string
		value duration
	}{{[]string{"drain", "timeout"}, u.Drain.Timeout}, {[]string{"settle", "nodeTimeout"}, u.Settle.NodeTimeout},
		{[]string{"settle", "timeout"}, u.Settle.Timeout}} {
		if f.value <= 0 {
			found = append(found, wrong(at(f.keys...), strings.Join(f.keys, ".")+" must be positive", "A wait without end is never reported.",
				"Leave it out for the default."))
		}
	}
	return found
}

func checkWindows(ws []windowSpec) []finding {
	var found []finding
	for i, w := range ws {
		at := sitePlace("spec", "upgrade", "windows", overlay.Index(i))
		name := fmt.Sprintf("window %d", i+1)
		if w.Start == w.End {
			found = append(found, wrong(at, name+" starts and ends at the same time", "Whether that means always or never is anybody's guess.",
				`Use "00:00" and "24:00" for a whole day.`))
		}
		if w.TimeZone == "" {
			found = append(found, wrong(at, name+" names no time zone", "Pipelines and people run in different zones.",
				`Add one, such as "timeZone: Asia/Tokyo".`))
		} else if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
			found = append(found, wrong(at, fmt.Sprintf("%s: there is no time zone %q", name, w.TimeZone), "",
				`Use a name of the IANA database, such as "Asia/Tokyo".`))
		}
	}
	return found
}
