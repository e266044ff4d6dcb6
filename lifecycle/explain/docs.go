package explain

import (
	"strings"

	"kiban.dev/kiban/docs"
	"kiban.dev/kiban/lifecycle"
)

// docsFolder begins what a page is asked for by: its path in the repository. Hints name pages as `kiban explain docs/PAGE.md`, for
// whoever has only the binary has no such folder.
const docsFolder = "docs/"

// pages are the names of all pages, as they are asked for.
func pages() []string {
	entries, _ := docs.Pages.ReadDir(".") // of what is in the binary
	var names []string
	for _, e := range entries {
		names = append(names, docsFolder+e.Name())
	}
	return names
}

// docsPage is a page of the documentation in lines that fit; what stands in columns, such as commands and tables, is left as it is.
func docsPage(topic string, width int) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(topic, docsFolder), ".md") + ".md"
	content, err := docs.Pages.ReadFile(name)
	if err != nil {
		d := lifecycle.Errorf("", "kiban has no page %s", docsFolder+name)
		if near := Nearest(docsFolder+name, pages()); near != "" {
			return "", d.Try("kiban explain " + near)
		}
		return "", d.Because("It has: " + strings.Join(pages(), ", ") + ".").Try("kiban explain docs/README.md says what each is for.")
	}
	p, fenced := page{width: width}, false
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		fenced = fenced != fence
		if fence || fenced || line == "" || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "    ") {
			p.WriteString(line + "\n")
			continue
		}
		text := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(text)]
		for i, l := range lines(text, width-len(indent)) {
			if i == 1 && strings.HasPrefix(text, "- ") {
				indent += "  "
			}
			p.WriteString(indent + l + "\n")
		}
	}
	return p.String(), nil
}
