package charts

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

type entry struct {
	release
	archive []byte
}

// index is the repository's index.yaml, newest version of each chart first.
func index(entries []entry) []byte {
	var w strings.Builder
	w.WriteString("apiVersion: v1\nentries:\n")
	chart := ""
	for i := range entries {
		if entries[i].chart == chart {
			continue
		}
		chart = entries[i].chart
		fmt.Fprintf(&w, "  %s:\n", chart)
		for j := len(entries) - 1; j >= 0; j-- {
			if e := entries[j]; e.chart == chart {
				fmt.Fprintf(&w, "  - apiVersion: v2\n    name: %s\n    version: %s\n    appVersion: %q\n    created: %q\n    digest: %x\n    urls:\n"+
					"    - %s\n",
					e.chart, e.version, e.app, published().Format(time.RFC3339), sha256.Sum256(e.archive), e.file())
			}
		}
	}
	fmt.Fprintf(&w, "generated: %q\n", published().Format(time.RFC3339))
	return []byte(w.String())
}
