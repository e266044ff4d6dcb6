package site

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/allowed"
)

// Each word of the tables of fields has a meaning, and what k0s does by itself is among what it allows.
func TestEveryMeaningIsThere(t *testing.T) {
	used := map[string]bool{}
	for _, f := range append(lifecycle.K0sFields(), lifecycle.KubeletFields()...) {
		if f.Is == "" {
			continue
		}
		used[f.Is] = true
		m, ok := meaningOf(f.Is)
		if !ok || m.says == "" || m.hint == "" {
			t.Errorf("%s: no meaning %q", f.Path, f.Is)
		} else if f.Default != "" && !m.holds(f.Default) {
			t.Errorf("%s: its default %s is no %s", f.Path, f.Default, f.Is)
		}
	}
	for word := range meanings() {
		if !used[word] && word != "image" && word != "tag" { // those are of a form, not of a field
			t.Errorf("no field is a %s", word)
		}
	}
}

// What k0s and the kubelet take is taken, in all its spellings.
func TestMeanings(t *testing.T) {
	for word, values := range map[string]struct{ good, bad string }{
		"address": {"10.9.0.5 ::1 fd00::5", "10.9.0 10.9.0.5/24 localhost"},
		"machine": {"10.9.0.5 fd00::5 127.0.0.1", "0.0.0.0 :: cp-1"},
		"host": {"10.9.0.5 api.example.com api API.Example.com api_1.example.com api.example.com. fd00::5",
			"https://api *.example.com api:6443 a,b -a"},
		"endpoint": {"10.9.0.5 10.9.0.5:6443 api.example.com:443 [fd00::5]:6443 fd00::5", "https://api 0.0.0.0 api:port api/v1"},
		"domain":   {"cluster.local corp k8s.example.com", "cluster..local .local a/b"},
		"prefix":   {"10.9.0.5/24 fd00::5/64 0.0.0.0/0", "10.9.0.5 10.9.0.5/33 net/24"},
		"listen":   {"0.0.0.0:10249 127.0.0.1:1 [::]:10249", "10249 :10249 host:1 0.0.0.0:0"},
		"url":      {"https://10.9.0.9:2379 http://etcd:2379", "10.9.0.9:2379 etcd"},
		"label":    {"gpu gpu-1 1gpu", "GPU gpu_1 gpu. -gpu"},
		"release":  {"web web-1 web.a", "Web web_ -web"},
		"word8":    {"short 12345678", "123456789"},
		"image":    {"quay.io/a/pause registry.example.com:5000/pause pause", "a/pause:3.10 a/pause@sha256:00"},
		"tag": {"3.10 v1.2.3-0 v1@sha256:" + strings.Repeat("a", 64) + " " + strings.Repeat("t", 128),
			":3.10 v1@sha256 -1 " + strings.Repeat("t", 129)},
		"quantity":  {"200m 1 0.5 512Mi 1Gi 2e3 .5 10M", "50MiB 200mm ten 1.2.3 -1"},
		"threshold": {"300Mi 10% 0% 100% 12.5%", "ten 101% 10%% -1%"},
		"period":    {"30s 1m30s 0s", "30 soon -1s"},
		"1..255":    {"1 255", "0 256 x"},
	} {
		m, ok := meaningOf(word)
		if !ok {
			t.Fatalf("no meaning %q", word)
		}
		for good := range strings.FieldsSeq(values.good) {
			if !m.holds(good) {
				t.Errorf("%s: %q is refused", word, good)
			}
		}
		for bad := range strings.FieldsSeq(values.bad) {
			if m.holds(bad) {
				t.Errorf("%s: %q is taken", word, bad)
			}
		}
	}
}

// A flag that a worker is refused is one that k0s knows at all.
func TestFlagsOfControllersAreFlags(t *testing.T) {
	n := 0
	for _, row := range lifecycle.ChangeTable() {
		if allowed.ForControllers(row.Path) {
			n++
		}
	}
	if n < 10 {
		t.Errorf("only %d flags of controllers are classified", n)
	}
}
