package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// rootFile is a file at the fleet's root that holds one document of a kind.
type rootFile struct{ name, kind string }

// readRootFile reads a file at the fleet's root; nil where there is none.
func readRootFile(fleetDir, name string) ([]byte, lifecycle.Diagnostics) {
	file := filepath.Join(fleetDir, name)
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, lifecycle.Diagnostics{lifecycle.Errorf(name, "%s is no plain file", name).
			Because("A link or a folder in its place leads to what may not be in the commit.").
			Try("Put the file itself there.")}
	}
	content := []byte{}
	if err == nil {
		content, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, lifecycle.AsDiagnostics(err, name+" can't be read")
	}
	return content, nil
}

// decodeRootFile reads the file's content, strictly, into a pointer to the form of its document, and gives that document. check finds
// what
// the form allows and the meaning does not.
func decodeRootFile(f rootFile, content []byte, into any, check func() []finding) (*yaml.Node, lifecycle.Diagnostics) {
	docs, err := overlay.ParseYAML(content)
	if err != nil {
		line, what := overlay.YAMLErrorAt(err.Error())
		return nil, lifecycle.Diagnostics{lifecycle.Errorf(f.at(line), "this is not YAML").Because(what).
			Try("Check indentation, quotes and colons at and just above this line.")}
	}
	if len(docs) != 1 {
		return nil, lifecycle.Diagnostics{lifecycle.Errorf(f.name, "this is not one document").
			Because(f.name + " holds one document of kind " + f.kind + ", and nothing else.").
			Try("Start with `apiVersion: " + overlay.APIKiban + "` and `kind: " + f.kind + "`, or remove the file.")}
	}
	var ds lifecycle.Diagnostics
	overlay.DuplicateKeys(docs[0], func(key string, line, first int) {
		ds = append(ds, lifecycle.Errorf(f.at(line), "key %q is given twice", key).
			Because("Line "+strconv.Itoa(first)+" gives it already.").Try("Remove one."))
	})
	s := strict{document: overlay.Place{Kind: f.kind}}
	s.decode(docs[0], reflect.ValueOf(into).Elem(), nil)
	for _, found := range append(s.found, check()...) {
		ds = append(ds, lifecycle.Findingf(found.severity, f.at(overlay.LineOf(docs[0], found.at.Path)), "%s", found.summary).
			Because(found.detail).Try(found.hint))
	}
	return docs[0], ds
}

// checkRootHead holds what a document says that it is against what stands in its file.
func checkRootHead(f rootFile, version, kind string) (found []finding) {
	at := func(key string) overlay.Place { return overlay.Place{Kind: f.kind, Path: []string{key}} }
	if version != overlay.APIKiban {
		found = append(found, wrong(at("apiVersion"), fmt.Sprintf("apiVersion can't be %q", version), "", "Write `apiVersion: "+overlay.APIKiban+"`."))
	}
	if kind != f.kind {
		found = append(found, wrong(at("kind"), fmt.Sprintf("kind can't be %q here", kind), "Only a "+f.kind+" stands in "+f.name+".",
			"Write `kind: "+f.kind+"`."))
	}
	return found
}

func (f rootFile) at(line int) string {
	if line <= 0 {
		return f.name
	}
	return f.name + ":" + strconv.Itoa(line)
}
