package fleet

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// BenchmarkReadCollected reads what was collected of 3,500 sites of three machines, with 20 runs each.
func BenchmarkReadCollected(b *testing.B) {
	dir, size := b.TempDir(), 0
	c := collected("site", noon)
	for i := range 3500 {
		c.Site = fmt.Sprintf("site-%04d", i)
		content, err := c.encode()
		if err != nil {
			b.Fatal(err)
		}
		size += len(content)
		if _, err := Keep(dir, c, noon); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		all, found, err := ReadCollected(dir, noon)
		if err != nil || len(found) > 0 || len(all) != 3500 {
			b.Fatal(len(all), found, err)
		}
	}
}

// BenchmarkMetrics writes the metrics of 3,500 sites.
func BenchmarkMetrics(b *testing.B) {
	sites := make([]Collected, 3500)
	for i := range sites {
		sites[i] = collected(fmt.Sprintf("site-%04d", i), noon)
	}
	var text bytes.Buffer
	if err := WriteMetrics(&text, sites, 0, noon); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if err := WriteMetrics(io.Discard, sites, 0, noon); err != nil {
			b.Fatal(err)
		}
	}
}
