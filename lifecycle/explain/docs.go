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

// docsPage is a page of the documentation in lines of a width. A place within it may follow its name, as in a link.
func docsPage(topic string, width int) (string, error) {
	topic, _, _ = strings.Cut(topic, "#")
	name := strings.TrimSuffix(strings.TrimPrefix(topic, docsFolder), ".md") + ".md"
	content, err := docs.Pages.ReadFile(name)
	if err != nil {
		d := lifecycle.Errorf("", "kiban has no page %s", docsFolder+name)
		if near := Nearest(docsFolder+name, pages()); near != "" {
			return "", d.Try("kiban explain " + near)
		}
		return "", d.Because("It has: " + strings.Join(pages(), ", ") + ".").Try("kiban explain docs/README.md says what each is for.")
	}
	p := page{width: width}
	p.markdown(string(content))
	return p.String(), nil
}
