package forge

import (
	"flag"
	"testing"

	"kiban.dev/kiban/lifecycle/render/rendertest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/<name>; `go test -update` writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	rendertest.Golden(t, *update, name, got)
}
