package timeline

import (
	"regexp"
	"strings"
)

var quotedCode = regexp.MustCompile("`([^`\n]+)`")

// words is a text with what stands in backticks as code, and everything else as it is.
func words(text string) markup {
	var p page
	from := 0
	for _, m := range quotedCode.FindAllStringSubmatchIndex(text, -1) {
		p.put("%s<code>%s</code>", text[from:m[0]], text[m[2]:m[3]])
		from = m[1]
	}
	p.put("%s", text[from:])
	return markup(p.b.String())
}

// withoutTicks is for where there is no markup: tooltips and the page's title.
func withoutTicks(text string) string { return quotedCode.ReplaceAllString(text, "$1") }

// paragraphs are a finding's detail. Lines that are set in by two blanks are quoted, such as those of a log: they keep their form.
func (p *page) paragraphs(detail string) {
	var said, quoted []string
	flush := func() {
		if len(said) > 0 {
			p.put("<p>%s</p>", words(strings.Join(said, "\n")))
		}
		if len(quoted) > 0 {
			p.put("<pre class=\"log\">%s</pre>", strings.Join(quoted, "\n"))
		}
		said, quoted = nil, nil
	}
	for line := range strings.Lines(strings.Trim(detail, "\n")) {
		line = strings.TrimRight(line, "\n")
		quote, is := strings.CutPrefix(line, "  ")
		if is && len(said) > 0 || !is && len(quoted) > 0 {
			flush()
		}
		if is {
			quoted = append(quoted, quote)
		} else {
			said = append(said, line)
		}
	}
	flush()
}
