package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// KeysVerdict says in a line what became of the keys that machines showed.
func KeysVerdict(seen lifecycle.HostKeys, accepted []lifecycle.HostKey, problems lifecycle.Diagnostics, file string) string {
	switch {
	case len(accepted) > 0:
		return fmt.Sprintf("%s written to %s.", lifecycle.Count(len(accepted), "host key"), file)
	case len(problems) > 0:
		return "No key was written to " + file + "."
	}
	return fmt.Sprintf("Nothing to do: %s, already in %s.", lifecycle.Count(len(seen.Keys), "host key"), file)
}

// HostKeys shows keys as a table, with those that were known before.
func HostKeys(w io.Writer, keys []lifecycle.HostKey, style Style) error {
	var rows []string
	for _, k := range keys {
		mark := ""
		switch k.Standing {
		case lifecycle.KeyChanged:
			mark = "CHANGED"
		case lifecycle.KeyRevoked:
			mark = "REVOKED"
		}
		rows = append(rows, strings.Join([]string{k.Host, k.Address, k.Type, k.Fingerprint, mark}, "\t"))
		for _, former := range k.Former {
			rows = append(rows, "\t\t\t"+former+"\twas known")
		}
	}
	return Table(w, style, "HOST\tADDRESS\tTYPE\tFINGERPRINT\t", rows)
}
