package lifecycle

import (
	"fmt"
	"net/url"
)

// MayLead is an error unless a download from one address may be led to another one, after so many times. Servers of releases lead to where
// files are kept, which is anywhere, by https. By plain http whoever runs a server that a site names would have kiban ask what only its own
// machine reaches, such as the metadata service of a cloud, and what comes could be changed on the way: that is followed on one host alone,
// where it was asked by plain http already.
func MayLead(from, to *url.URL, times int) error {
	const most = 5
	switch {
	case times > most:
		return fmt.Errorf("%s leads on more than %d times", from.Host, most)
	case to.Scheme == "https", to.Scheme == "http" && from.Scheme == "http" && to.Host == from.Host:
		return nil
	}
	return fmt.Errorf("%s leads to %s://%s, and only https is followed to another place", from.Host, to.Scheme, to.Host)
}
