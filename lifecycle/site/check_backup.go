package site

import (
	"fmt"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

func checkBackup(b backupSpec) []finding {
	if b.Keep >= 0 {
		return nil
	}
	return []finding{wrong(sitePlace("spec", "backup", "keep"), "keep can't be negative", "", "Use 0 for no limit.")}
}

// checkRecipients finds what backups could not be encrypted to. It is asked when the site is read, not when a backup is needed.
func checkRecipients(b backupSpec, check func(string) error) []finding {
	if check == nil {
		return nil
	}
	var found []finding
	for i, r := range b.Recipients {
		if err := check(r); err != nil {
			found = append(found, wrong(sitePlace("spec", "backup", "recipients", overlay.Index(i)),
				fmt.Sprintf("recipient %d is no age public key", i+1), err.Error(),
				`Write what "age-keygen -y key.txt" prints: it begins with age1.`))
		}
	}
	return found
}
