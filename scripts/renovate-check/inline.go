package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// presets are the files of renovate/ in the order in which their rules apply: later ones win.
func presets() []string {
	return []string{"k0s.json5", "addons.json5", "images.json5", "kiban.json5", "sites.json5"}
}

// The fleet's configuration, and what `kiban init` puts into new ones.
const (
	configFile = "renovate.json5"
	scaffold   = "lifecycle/scaffold/fleet"
	jobFile    = "config.js"
)

// outdated gives the files that do not hold what renovate/ has, with what they should hold.
func outdated(fleet string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range []string{configFile, filepath.Join(scaffold, configFile)} {
		current, want, err := inline(fleet, name)
		if err != nil {
			return nil, err
		}
		if current != want {
			out[name] = want
		}
	}
	job, err := os.ReadFile(filepath.Join(fleet, "renovate", jobFile))
	if err != nil {
		return nil, err
	}
	name := filepath.Join(scaffold, jobFile)
	if current, err := os.ReadFile(filepath.Join(fleet, name)); err != nil || string(current) != string(job) {
		out[name] = string(job)
	}
	return out, nil
}

// inline gives a renovate.json5 with the presets as they are now between its marks. Renovate takes presets of the same repository only by
// the repository's full name, which differs in every copy, and not at all without a platform.
func inline(fleet, config string) (current, want string, err error) {
	b, err := os.ReadFile(filepath.Join(fleet, config))
	if err != nil {
		return "", "", err
	}
	parts := map[string]string{}
	for _, name := range presets() {
		text, err := os.ReadFile(filepath.Join(fleet, "renovate", name))
		if err != nil {
			return "", "", err
		}
		for _, m := range members(string(text)) {
			switch m.name {
			case "$schema", "description":
			case "customManagers", "packageRules":
				parts[m.name] += "    // renovate/" + name + "\n" + items(m.text)
			default:
				parts["settings"] += m.text
			}
		}
	}
	want = string(b)
	for _, section := range []string{"settings", "customManagers", "packageRules"} {
		if want, err = between(want, section, parts[section]); err != nil {
			return "", "", fmt.Errorf("%s: %w", config, err)
		}
	}
	return string(b), want, nil
}

// members cuts a preset into its members by their indentation: the name at two spaces, everything within at four or more.
func members(text string) []member {
	name := regexp.MustCompile(`^ {2}"?([$\w-]+)"?:`)
	var out []member
	for line := range strings.Lines(text) {
		if m := name.FindStringSubmatch(line); m != nil {
			out = append(out, member{name: m[1]})
		}
		if strings.HasPrefix(line, "  ") && len(out) > 0 {
			out[len(out)-1].text += line
		}
	}
	return out
}

type member struct{ name, text string }

// items is what stands between the brackets of a member that is a list.
func items(member string) string {
	_, rest, _ := strings.Cut(member, "\n")
	return strings.TrimSuffix(rest, "  ],\n")
}

func between(text, section, body string) (string, error) {
	end := "// end of presets: " + section + "\n"
	head, tail, found := strings.Cut(text, end)
	start := strings.LastIndex(head, "// presets\n")
	if !found || start < 0 {
		return "", errors.New("the marks `// presets` and `" + strings.TrimSpace(end) + "` are not there")
	}
	indent := head[strings.LastIndex(head, "\n")+1:]
	return head[:start] + "// presets\n" + body + indent + end + tail, nil
}
