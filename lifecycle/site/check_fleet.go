package site

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkFleetDocument applies the rules about fleet.yaml.
func checkFleetDocument(d fleetDocument) []finding {
	at := func(keys ...string) overlay.Place { return overlay.Place{Kind: overlay.KindFleet, Path: keys} }
	found := checkRootHead(rootFile{lifecycle.FleetFile, overlay.KindFleet}, d.APIVersion, d.Kind)
	for i, program := range d.Spec.ExecPlugins {
		if !programForm.MatchString(program) && (!path.IsAbs(program) || path.Clean(program) != program) {
			found = append(found, wrong(at("spec", "execPlugins", overlay.Index(i)), fmt.Sprintf("%q is no program", program),
				"A kubeconfig's exec plugin is compared with it, without arguments.",
				"Write its name, such as aws, or its absolute path, such as /usr/local/bin/kubelogin."))
		}
	}
	for i, name := range d.Spec.SecretVariables {
		place := at("spec", "secretVariables", overlay.Index(i))
		switch {
		case !variableForm.MatchString(name):
			found = append(found, wrong(place, fmt.Sprintf("%q is no environment variable", name), "", "Write a variable's whole name; patterns "+
				"are not read."))
		case lifecycle.OwnVariable(name):
			found = append(found, wrong(place, fmt.Sprintf("%s can't be a secret of a site", name),
				"It is what kiban or the pipeline itself acts with; on a machine or in a cluster it would be everybody's who has that.",
				"Keep the secret in a variable of its own, such as "+lifecycle.SecretPrefix+"REGISTRY_TOKEN; such names need no entry here."))
		}
	}
	for _, list := range []struct {
		field  string
		places []string
	}{{"hostFiles", d.Spec.HostFiles}, {"localFiles", d.Spec.LocalFiles}} {
		for i, place := range list.places {
			if !path.IsAbs(place) || path.Clean(place) != strings.TrimSuffix(place, "/") {
				found = append(found, wrong(at("spec", list.field, overlay.Index(i)), fmt.Sprintf("%q is no place on a machine", place), "",
					"Write a file's path in full, such as /root/.bashrc, or a folder's with a slash at its end, such as /boot/firmware/."))
			}
		}
	}
	if key := d.Spec.K0s.SigningKey; key != "" {
		if _, err := lifecycle.ParseSigningKey(key); err != nil {
			found = append(found, wrong(at("spec", "k0s", "signingKey"), "the signing key can't be used", err.Error(),
				"Put the content of a k0s release's cosign.pub here: it begins with -----BEGIN PUBLIC KEY-----."))
		}
	}
	return found
}

var programForm = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._+]*$`)
