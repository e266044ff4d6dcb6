package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
)

// The fleet's own risks are few and short.
const (
	mostRiskFiles = 500
	mostRiskBytes = 64 << 10
)

// ownRisks reads the files of risks/ at the fleet's root; nil where there is no such folder. Links are not followed.
func (w *world) ownRisks() *lifecycle.Answer[[]lifecycle.RiskFile] { return ownRisks(w.fleet) }

// findingNames are the names of what readiness may find at sites of a fleet.
func findingNames(fleet string) []string { return readiness.Names(ownRisks(fleet)) }

// riskMistakes says what is wrong with the fleet's own files of risks.
func riskMistakes(fleet string) lifecycle.Diagnostics { return readiness.RiskMistakes(ownRisks(fleet)) }

func ownRisks(fleet string) *lifecycle.Answer[[]lifecycle.RiskFile] {
	if fleet == "" {
		return nil
	}
	root, err := os.OpenRoot(fleet)
	if err != nil {
		return &lifecycle.Answer[[]lifecycle.RiskFile]{Unknown: err.Error()}
	}
	defer root.Close()
	found, err := riskFiles(root.FS())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &lifecycle.Answer[[]lifecycle.RiskFile]{Unknown: err.Error()}
	}
	return &lifecycle.Answer[[]lifecycle.RiskFile]{Value: found}
}

func riskFiles(fleet fs.FS) ([]lifecycle.RiskFile, error) {
	entries, err := fs.ReadDir(fleet, "risks")
	if err != nil {
		return nil, err
	}
	var out []lifecycle.RiskFile
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		if len(out) == mostRiskFiles {
			return nil, fmt.Errorf("risks/ has more than %d files", mostRiskFiles)
		}
		path := "risks/" + e.Name()
		text, err := readAtMost(fleet, path, mostRiskBytes)
		if err != nil {
			return nil, err
		}
		out = append(out, lifecycle.RiskFile{Path: path, Text: text})
	}
	return out, nil
}

func readAtMost(from fs.FS, path string, most int64) ([]byte, error) {
	f, err := from.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", path, most)
	}
	return text, err
}
