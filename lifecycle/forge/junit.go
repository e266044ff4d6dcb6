package forge

import (
	"encoding/xml"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

type junitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes findings as a JUnit report, which GitLab shows on every tier (artifacts:reports:junit): a suite a site, in it a test that
// passes when the site is valid, or a failed test for each finding that makes it invalid. Warnings are output of the test that passes, or
// of a test of their own.
func JUnit(w io.Writer, sites []SiteFindings) error {
	report := junitReport{Name: "kiban validate"}
	for _, site := range sites {
		suite := junitSuite{Name: xmlText(site.name()), Cases: junitCases(site)}
		for _, c := range suite.Cases {
			suite.Tests++
			if c.Failure != nil {
				suite.Failures++
			}
		}
		report.Suites = append(report.Suites, suite)
		report.Tests, report.Failures = report.Tests+suite.Tests, report.Failures+suite.Failures
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitCases(site SiteFindings) []junitCase {
	var cases []junitCase
	for _, d := range site.Diagnostics.Stopping() {
		label := render.SeverityLabel(d.Severity)
		name := d.Summary
		if d.Subject != "" {
			name = d.Subject + ": " + d.Summary // GitLab tells tests apart by class and name
		}
		c := junitCase{Class: xmlText(site.name()), Name: xmlText(name),
			Failure: &junitFailure{Message: xmlText(d.Summary), Type: label, Text: xmlText(render.DiagnosticText(d, render.Style{}))}}
		c.File, _, _ = place(d)
		cases = append(cases, c)
	}
	passed := junitCase{Class: xmlText(site.name()), Name: "is valid", Out: warningText(site.warnings())}
	switch {
	case len(cases) == 0:
		return []junitCase{passed}
	case passed.Out != "":
		passed.Name = "warnings"
		cases = append(cases, passed)
	}
	return cases
}

func warningText(ds lifecycle.Diagnostics) string {
	var parts []string
	for _, d := range ds {
		parts = append(parts, render.DiagnosticText(d, render.Style{}))
	}
	return xmlText(strings.Join(parts, "\n"))
}

// xmlText leaves out what XML 1.0 cannot carry even escaped, a terminal's control characters in what a program said among it.
func xmlText(s string) string {
	return strings.NewReplacer("\ufffe", "", "\uffff", "").Replace(lifecycle.Harmless(s))
}
