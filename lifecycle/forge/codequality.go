package forge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"kiban.dev/kiban/lifecycle"
)

// qualityIssue is an entry of GitLab's Code Quality report (artifacts:reports:codequality).
type qualityIssue struct {
	Description string `json:"description"`
	CheckName   string `json:"check_name"`
	// Fingerprint is what GitLab compares with the target branch's report: an issue with a known one is not new.
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"`
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// CodeQuality writes findings as GitLab's Code Quality report. GitLab stops reading at the first entry that its schema refuses, so that
// a finding without a file of the repository is put to its site's overlay, and one of the fleet as a whole is left to the JUnit report.
//
// A finding's fingerprint is made of its file and its words, not of its line, which changes with everything above it. The same finding
// in a base that several sites use is one entry.
func CodeQuality(w io.Writer, sites []SiteFindings) error {
	issues := []qualityIssue{}
	seen := map[string]bool{}
	nth := map[string]int{}
	for _, site := range sites {
		for _, d := range site.Diagnostics {
			file, line, ok := place(d)
			if !ok && site.Site != "" {
				file, line, ok = "overlays/"+site.Site+"/kustomization.yaml", 1, true
			}
			if !ok {
				continue
			}
			issue := qualityIssue{Description: qualityText(d), CheckName: "kiban-validate", Severity: qualitySeverity(d.Severity),
				Location: qualityLocation{Path: file}}
			issue.Location.Lines.Begin = line
			words := fmt.Sprintf("%s\x00%s\x00%s\x00%s", file, d.Severity, d.Summary, d.Detail)
			if seen[fmt.Sprintf("%s\x00%d", words, line)] {
				continue
			}
			seen[fmt.Sprintf("%s\x00%d", words, line)] = true
			nth[words]++
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", words, nth[words]))
			issue.Fingerprint = hex.EncodeToString(sum[:16])
			issues = append(issues, issue)
		}
	}
	b, err := json.MarshalIndent(issues, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// qualityText is what GitLab shows of a finding, in a line and without control characters.
func qualityText(d lifecycle.Diagnostic) string {
	text := d.Summary
	if d.Detail != "" {
		text += ": " + lifecycle.OneLine(d.Detail)
	}
	if d.Hint != "" {
		text += " Try: " + lifecycle.OneLine(d.Hint)
	}
	return xmlText(text)
}

func qualitySeverity(s lifecycle.Severity) string {
	switch s {
	case lifecycle.SeverityWarning:
		return "minor"
	case lifecycle.SeverityBlocked:
		return "major"
	}
	return "critical"
}
