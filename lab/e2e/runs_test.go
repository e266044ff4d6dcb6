package e2e

import (
	"context"
	"encoding/json"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type listedRun struct {
	ID, Who, Result string
	Before, After   []string
	Here, Cluster   bool
	Done, Steps     int
}

func (b *bench) runs(args ...string) (out []listedRun) {
	b.t.Helper()
	r := b.must(0, b.kiban(append([]string{"runs", "lab", "-o", "json"}, args...)...))
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("runs -o json: %v\n%s", err, r)
	}
	return out
}

// Runs are known beside the fleet and by the cluster; a plan without steps is none; any of them can be told again.
func TestRunsAreKeptHereAndInTheCluster(t *testing.T) {
	t.Parallel()
	b := start(t, "127.202.1", 1, 1)
	b.apply(0)
	b.Version = v136
	b.write()
	b.apply(0)

	got := b.runs()
	if len(got) != 2 || got[0].Result != "done" || !got[0].Here || !got[0].Cluster || got[0].Done != got[0].Steps ||
		!slices.Equal(got[0].Before, []string{v135}) || !slices.Equal(got[0].After, []string{v136}) || len(got[1].Before) != 0 {
		t.Errorf("runs: %+v", got)
	}

	cs, _ := b.admin()
	version := func() string {
		cm, err := cs.CoreV1().ConfigMaps("kube-system").Get(context.Background(), "kiban-runs", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return cm.ResourceVersion
	}
	before := version()
	b.apply(0)
	if after := version(); after != before {
		t.Errorf("an apply of nothing wrote a record: resource version %s, then %s", before, after)
	}

	b.seen(got[0].ID)

	// Another machine has no journals, and knows all the same.
	if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "runs")); err != nil {
		t.Fatal(err)
	}
	elsewhere := b.runs()
	if len(elsewhere) != 2 || elsewhere[0].ID != got[0].ID || elsewhere[0].Here || !elsewhere[0].Cluster {
		t.Errorf("from another machine: %+v", elsewhere)
	}
	if local := b.runs("--local"); len(local) != 0 {
		t.Errorf("--local: %+v", local)
	}
}

// seen shows the run in each form, and looks at the page with a browser, where there is one.
func (b *bench) seen(id string) {
	b.t.Helper()
	for form, want := range map[string]string{"text": "worker-1/upgrade: done after", "markdown": "| worker-1 | ", "json": `"kind": "begun"`} {
		if r := b.must(0, b.kiban("show", id, "-o", form)); !strings.Contains(r.stdout, want) {
			b.t.Errorf("show -o %s has no %q: %s", form, want, r)
		}
	}
	html := b.must(0, b.kiban("show", id, "-o", "html")).stdout
	for _, host := range []string{"controller-1", "worker-1"} {
		if !strings.Contains(html, ">"+host+"</text>") {
			b.t.Errorf("the page has no lane for %s", host)
		}
	}
	page, picture := filepath.Join(b.dir, "run.html"), filepath.Join(b.dir, "run.png")
	b.file(page, html)
	browser, err := exec.LookPath("chromium")
	if err != nil {
		b.t.Log("no chromium here: the page was not looked at")
		return
	}
	// Without a network: a page that asks for anything would show less.
	if r := b.run(time.Minute, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--user-data-dir="+filepath.Join(b.dir, "browser"), "--host-resolver-rules=MAP * ~NOTFOUND",
		"--screenshot="+picture, "--window-size=1400,1200", "file://"+page); r.code != 0 {
		b.t.Fatalf("the browser: %s", r)
	}
	f, err := os.Open(picture)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		b.t.Fatal(err)
	}
	counts := map[color.RGBA]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, bl, _ := img.At(x, y).RGBA()
			counts[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255}]++
		}
	}
	// The legend has fewer than 200 pixels of a colour; the bars of two upgrades have many more.
	if n := counts[color.RGBA{0x25, 0x63, 0xeb, 255}]; n < 1000 {
		b.t.Errorf("only %d pixels have the colour of an upgrade", n)
	}
}
