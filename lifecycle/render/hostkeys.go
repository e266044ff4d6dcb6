package render

import (
	"fmt"
	"io"
	"text/tabwriter"

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
func HostKeys(w io.Writer, keys []lifecycle.HostKey) error {
	if len(keys) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "HOST\tADDRESS\tTYPE\tFINGERPRINT\t") // what fails shows itself in Flush
	for _, k := range keys {
		mark := ""
		switch k.Standing {
		case lifecycle.KeyChanged:
			mark = "CHANGED"
		case lifecycle.KeyRevoked:
			mark = "REVOKED"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.Host, k.Address, k.Type, k.Fingerprint, mark)
		for _, former := range k.Former {
			fmt.Fprintf(t, "\t\t\t%s\twas known\n", former)
		}
	}
	return t.Flush()
}
