package pages

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRecordingIsAPictureOfARunToItsEnd: what the README shows is a run that was carried out whole, and nothing but a picture: it runs no
// script, and fetches nothing.
func TestRecordingIsAPictureOfARunToItsEnd(t *testing.T) {
	picture := read(t, filepath.Join(root, "docs", "upgrade.svg"))
	for _, page := range []string{"README.md", "README.ja.md"} {
		if !strings.Contains(read(t, filepath.Join(root, page)), "](docs/upgrade.svg)") {
			t.Errorf("%s does not show it", page)
		}
	}
	for _, bad := range []string{"<script", "<foreignObject", "<image", "onload=", "@import", "url("} {
		if strings.Contains(picture, bad) {
			t.Errorf("it has %s", bad)
		}
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(picture, -1) {
		if !strings.HasPrefix(link[1], "#") {
			t.Errorf("it fetches %s", link[1])
		}
	}
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(picture, "")
	for _, want := range []string{"kiban apply lab --yes", "of 34 steps done", "lab is applied", "7 of 7 machines reached"} {
		if !strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), want) {
			t.Errorf("it does not show %q", want)
		}
	}
	if most := 500 << 10; len(picture) > most {
		t.Errorf("it has %d bytes, more than %d", len(picture), most)
	}
}
