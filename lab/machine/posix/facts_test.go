package posix_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestFacts runs kiban's script of facts, as it is, on both sides: on a folder with a k0s and on one with nothing. What the machines'
// clocks and kernels say is theirs.
func TestFacts(t *testing.T) {
	t.Parallel()
	reference(t)
	script, err := os.ReadFile("../../../lifecycle/k0s/facts.sh")
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile(`(?m)^N (clock|uptime|kernel|boot|machine|cgroup|load|memory|patience)[= ].*\n|` +
		`^/dev/.*\n|^overlay.*\n|^(Filesystem|tmpfs|none).*\n`)
	const site = `mkdir -p opt data/pki data/etcd conf; printf '#!/bin/sh\necho "k0s $*"\n' > opt/k0s; chmod 755 opt/k0s
cp opt/k0s opt/k0s.kiban-v2
cp opt/k0s opt/k0s.kiban-former-v1
touch opt/k0s.kiban-former-v1.service; echo 'a: b' > conf/k0s.yaml; echo admin > data/pki/admin.conf
printf 'x:\n  server: https://h:6443\n' > data/kubelet.conf; echo v1 > data/kiban-restored
echo token > conf/token
mkdir conf/containerd.d; echo 'version = 2 # so' > conf/containerd.d/a.toml; printf '[a]\nversion = 3' > conf/containerd.d/.b.toml
echo '[plugins."io.containerd.cri.v1.images"]' > "conf/containerd.d/c d.toml"; echo '# k0s_managed=true' > conf/containerd.toml
mkdir locks; touch locks/epoch.9 locks/epoch.12 locks/epoch.x
`
	for _, before := range []string{"", site} {
		const arguments = "set -- N controller \"$PWD/opt/k0s\" \"$PWD/data\" \"$PWD/conf/k0s.yaml\" \"$PWD/conf/token\" " +
			"\"$PWD/conf\" \"$PWD/locks\" \"$PWD/text\" \"$PWD/a b\" /absent\n"
		line := before + arguments + string(script)
		want, got := sides(t, line, self(t))
		want.out, got.out = own.ReplaceAllString(want.out, ""), own.ReplaceAllString(got.out, "")
		for _, r := range []*result{&want, &got} { // the service manager is not there on either side, whatever is installed
			r.out = strings.ReplaceAll(r.out, "N systemd=none\n", "")
			r.err = ""
		}
		if before != "" && !strings.Contains(want.out, "N begin version") {
			t.Errorf("the script did not find the k0s: %s", want.out)
		}
		compared.Add(1)
		if d := differences("exact", want, got); d != "" {
			t.Errorf("%s  really:\n%s\n  in the lab:\n%s", d, want.out, got.out)
		}
	}
}

// TestFactsOfEtcd asks an etcd by the script's own functions, on both sides: the questions run side by side, and each is told whole.
func TestFactsOfEtcd(t *testing.T) {
	t.Parallel()
	reference(t)
	script, err := os.ReadFile("../../../lifecycle/k0s/facts.sh")
	if err != nil {
		t.Fatal(err)
	}
	functions, _, ok := strings.Cut(string(script), "\nfact facts 1\n")
	if !ok {
		t.Fatal("the script begins in another way")
	}
	const site = `mkdir -p opt data/etcd; printf '#!/bin/sh\necho "{k0s $*}"\n[ "$1" = status ]\n' > opt/k0s; chmod 755 opt/k0s
set -- N controller "$PWD/opt/k0s" data conf token etc locks
`
	// what curl says differs from machine to machine
	const says = `
etcdsays() { within "$ETCD" sh -c 'data=$1; shift; printf "{$data}\nnoise\ncurl: late\n" |
	grep -E "$@"' sh "$DATA" -e '^(\{|curl:)' -e 'x{2}'; }
etcds
`
	want, got := sides(t, site+functions+says, self(t))
	want.err, got.err = "", ""
	compared.Add(1)
	if d := differences("exact", want, got); d != "" {
		t.Errorf("%s  really:\n%s\n  in the lab:\n%s", d, want.out, got.out)
	}
	for _, block := range []string{"etcdsays\n{data}\ncurl: late\n\nN end etcdsays 0",
		"etcd\n{k0s etcd member-list --data-dir=data}\n\nN end etcd 1", "status\n{k0s status -o json}\n\nN end status 0"} {
		if !strings.Contains(got.out, "N begin "+block) {
			t.Errorf("%q is not told:\n%s", block, got.out)
		}
	}
}
