package render

import (
	"fmt"
	"io"

	"kiban.dev/kiban/lifecycle"
)

// PromisesText shows what a site promises to what runs on it, one a line: whether it holds, and what was seen.
func PromisesText(w io.Writer, promises []lifecycle.Promise, style Style) error {
	width := 0
	for _, p := range promises {
		width = max(width, len(p.Name))
	}
	for _, p := range promises {
		word, code := "holds  ", codeGreen
		switch {
		case p.State == lifecycle.GateSkipped:
			word, code = "skipped", codeDim
		case p.IsBroken() && p.MissingImage != "":
			word, code = "UNKNOWN", codeRed
		case p.IsBroken():
			word, code = "BROKEN ", codeRed
		}
		if _, err := fmt.Fprintf(w, "%s  %-*s  %s\n", style.paint(code, word), width, p.Name, p.Reason); err != nil {
			return err
		}
	}
	return nil
}
