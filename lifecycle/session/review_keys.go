package session

import (
	"kiban.dev/kiban/lifecycle"
)

// ReviewKeys picks the keys to review and, of them, those to accept; and says what stays open.
func ReviewKeys(seen lifecycle.HostKeys, site lifecycle.Site, all bool) (review, accept []lifecycle.HostKey,
	problems lifecycle.Diagnostics) {
	review = []lifecycle.HostKey{}
	for _, k := range seen.Keys {
		switch k.Standing {
		case lifecycle.KeyKnown:
			continue
		case lifecycle.KeyNew:
			accept = append(accept, k)
		case lifecycle.KeyChanged:
			if all {
				accept = append(accept, k)
				break
			}
			problems = append(problems, lifecycle.Errorf(k.Host, "the host key has changed, and was not replaced").
				Because("The machine was set up anew, or another one answers in its place. Find out which.").
				Try("kiban hosts trust "+site.Name+" --all"))
		case lifecycle.KeyRevoked:
			problems = append(problems, lifecycle.Errorf(k.Host, "the host shows a key that is marked @revoked").
				Because(k.Type+" "+k.Fingerprint).
				Try("Give the machine another host key"))
		}
		review = append(review, k)
	}
	for _, f := range seen.Failed {
		problems = append(problems, lifecycle.Errorf(f.Host, "the host keys of %s could not be fetched", f.Address).
			Because(f.Why).
			Try("Run the same command again when the machine answers"))
	}
	return review, accept, problems
}
