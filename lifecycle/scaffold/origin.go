package scaffold

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Origin is what an imported overlay was made of.
type Origin struct {
	// Site is the overlay's name; File is the document, KnownHosts the file that host keys came from, "" where machines were asked.
	Site, File, KnownHosts string
	// Lines are the document's lines, by those of the overlay's cluster.yaml.
	Lines map[int]int
}

// Same holds that a cluster, after the merge, is what the document says as k0sctl reads it.
func (o Origin) Same(want, got lifecycle.Cluster) lifecycle.Diagnostics {
	for _, c := range []*lifecycle.Cluster{&want, &got} {
		c.Document, c.Lines = nil, nil // where its fields stand is another file's matter
		c.Hosts = append([]lifecycle.Host(nil), c.Hosts...)
		for i := range c.Hosts {
			c.Hosts[i].Source, c.Hosts[i].HostKeys = "", "" // neither is of the document
		}
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return lifecycle.Diagnostics{lifecycle.Errorf(o.File, "the overlay would not mean what the document says").
		Because(differing(want, got)).
		Try("Write the values there out as plain YAML, and run the command again.")}
}

func differing(want, got lifecycle.Cluster) string {
	var names []string
	for i, h := range want.Hosts {
		if i >= len(got.Hosts) || !reflect.DeepEqual(h, got.Hosts[i]) {
			names = append(names, h.Name)
		}
	}
	if len(names) == 0 {
		return "The cluster as a whole differs, no host does."
	}
	return "Differing hosts: " + strings.Join(names, ", ") + "."
}

// Locate tells findings about the overlay's document as findings about the file that it was made of.
func (o Origin) Locate(ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	folder := "overlays/" + o.Site
	for i, d := range ds {
		file, number, _ := strings.Cut(d.Subject, ":")
		if o.KnownHosts != "" && strings.Contains(d.Summary, folder+"/known_hosts") {
			given := strings.NewReplacer(folder+"/known_hosts", o.KnownHosts)
			ds[i].Summary, ds[i].Hint, ds[i].Subject = given.Replace(d.Summary), given.Replace(d.Hint), o.KnownHosts
		}
		if file != folder+"/cluster.yaml" {
			continue
		}
		ds[i].Subject = o.File
		if n, err := strconv.Atoi(number); err == nil {
			for ; n > 0; n-- { // a line that was added belongs to what is above it
				if line, ok := o.Lines[n]; ok {
					ds[i].Subject = fmt.Sprintf("%s:%d", o.File, line)
					break
				}
			}
		}
	}
	return ds
}
