package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// compare holds that the site's cluster, after the merge, is what the document says as k0sctl reads it.
func (in *siteImport) compare(a *app, site lifecycle.Site, doc []byte) lifecycle.Diagnostics {
	want, ds := a.Describe(doc, site.SSH, site.Dir, in.opts.File)
	if ds.Err() != nil {
		return ds
	}
	for _, c := range []*lifecycle.Cluster{&want, &site.Cluster} {
		c.Document = nil
		c.Hosts = append([]lifecycle.Host(nil), c.Hosts...)
		for i := range c.Hosts {
			c.Hosts[i].Source, c.Hosts[i].HostKeys = "", "" // neither is of the document
		}
	}
	if reflect.DeepEqual(want, site.Cluster) {
		return nil
	}
	return lifecycle.Diagnostics{lifecycle.Errorf(in.opts.File, "the overlay would not mean what the document says").
		Because(differing(want, site.Cluster)).
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

// located tells findings about the overlay's document as findings about the file that it was made of.
func (in *siteImport) located(ds lifecycle.Diagnostics, origin map[int]int) lifecycle.Diagnostics {
	folder := "overlays/" + in.name
	for i, d := range ds {
		file, number, _ := strings.Cut(d.Subject, ":")
		if in.opts.KnownHosts != "" && strings.Contains(d.Summary, folder+"/known_hosts") {
			given := strings.NewReplacer(folder+"/known_hosts", in.opts.KnownHosts)
			ds[i].Summary, ds[i].Hint, ds[i].Subject = given.Replace(d.Summary), given.Replace(d.Hint), in.opts.KnownHosts
		}
		if file != folder+"/cluster.yaml" {
			continue
		}
		ds[i].Subject = in.opts.File
		if n, err := strconv.Atoi(number); err == nil {
			for ; n > 0; n-- { // a line that was added belongs to what is above it
				if line, ok := origin[n]; ok {
					ds[i].Subject = fmt.Sprintf("%s:%d", in.opts.File, line)
					break
				}
			}
		}
	}
	return ds
}
